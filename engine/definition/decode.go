package definition

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The order of a mapping is kept where a person or a provider would notice it, which a Go map does
// not do; and null means "leave this one out" for parameters.

// UnmarshalYAML reads a mapping of names to fields.
func (fs *Fields) UnmarshalYAML(n *yaml.Node) error {
	return members(n, func(name string, v *yaml.Node) error {
		f := Field{Name: name, At: Position{v.Line, v.Column}}
		if err := v.Decode(&f); err != nil {
			return err
		}
		if f.Label == "" {
			f.Label = name
		}
		*fs = append(*fs, f)
		return nil
	})
}

// UnmarshalYAML reads an option: a text, or a mapping with value and label.
func (o *Option) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		o.Value, o.Label = n.Value, n.Value
		return nil
	}
	type plain Option
	if err := n.Decode((*plain)(o)); err != nil {
		return err
	}
	if o.Label == "" {
		o.Label = o.Value
	}
	return nil
}

// UnmarshalYAML reads a mapping of names to templates; null drops the parameter.
func (ps *Params) UnmarshalYAML(n *yaml.Node) error {
	return members(n, func(name string, v *yaml.Node) error {
		p := Param{Name: name, Drop: v.ShortTag() == "!!null"}
		if !p.Drop {
			if err := v.Decode(&p.Value); err != nil {
				return err
			}
		}
		*ps = append(*ps, p)
		return nil
	})
}

// UnmarshalYAML reads a template, or a list of them.
func (ts *Templates) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]Template)(ts))
	}
	var t Template
	if err := n.Decode(&t); err != nil {
		return err
	}
	*ts = Templates{t}
	return nil
}

// UnmarshalYAML reads a mapping of standard names to the provider's; null leaves one out.
func (ns *Names) UnmarshalYAML(n *yaml.Node) error {
	*ns = Names{}
	return members(n, func(name string, v *yaml.Node) error {
		if v.ShortTag() == "!!null" {
			(*ns)[name] = ""
			return nil
		}
		(*ns)[name] = v.Value
		return nil
	})
}

// UnmarshalYAML reads a mapping of names to expressions.
func (cs *Captures) UnmarshalYAML(n *yaml.Node) error {
	return members(n, func(name string, v *yaml.Node) error {
		c := Capture{Name: name}
		if err := v.Decode(&c.Value); err != nil {
			return err
		}
		*cs = append(*cs, c)
		return nil
	})
}

// UnmarshalYAML reads a mapping of names to scope lists.
func (gs *ScopeGroups) UnmarshalYAML(n *yaml.Node) error {
	return members(n, func(name string, v *yaml.Node) error {
		g := ScopeGroup{Name: name}
		if err := v.Decode(&g.Scopes); err != nil {
			return err
		}
		*gs = append(*gs, g)
		return nil
	})
}

// UnmarshalYAML reads required, optional or off, or a mapping with mode, method and encoding.
func (p *PKCE) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		p.Mode = n.Value
		return nil
	}
	type plain PKCE
	return n.Decode((*plain)(p))
}

// UnmarshalYAML reads a duration such as "90s" or "15m".
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is not a duration such as 90s or 15m", n.Line, n.Value)
	}
	*d = Duration(v)
	return nil
}

// shorthands are the keys that give a request's method and URL in one.
var shorthands = []string{"get", "post", "put", "patch", "delete", "head"}

// none is what a definition says where the provider has no such thing.
const none = "none"

// UnmarshalYAML reads an identity block, or none.
func (id *Identity) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Value == none {
		id.none = true
		return nil
	}
	type plain Identity
	return n.Decode((*plain)(id))
}

// UnmarshalYAML reads a request, with its shorthand, or none.
func (r *Request) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Value == none {
		r.none = true
		return nil
	}
	type plain Request
	if err := n.Decode((*plain)(r)); err != nil {
		return err
	}
	return members(n, func(name string, v *yaml.Node) error {
		for _, s := range shorthands {
			if name == s {
				r.Method = strings.ToUpper(s)
				return v.Decode(&r.URL)
			}
		}
		return nil
	})
}

// members calls f for every member of a mapping, in the order of the file.
func members(n *yaml.Node, f func(name string, v *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a mapping is wanted here", n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := f(n.Content[i].Value, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

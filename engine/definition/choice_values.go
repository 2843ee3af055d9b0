package definition

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Environment is one of a provider's worlds, such as its sandbox.
type Environment struct {
	ID     string            `yaml:"-"`
	Label  string            `yaml:"label"`
	Values map[string]string `yaml:"values"`
}

// Environments is an ordered list of them; the first is the usual one.
type Environments []Environment

// EnvironmentInput names the input by which a person chooses an environment.
const EnvironmentInput = "environment"

// UnmarshalYAML reads a mapping of ids to environments.
func (es *Environments) UnmarshalYAML(n *yaml.Node) error {
	return members(n, func(id string, v *yaml.Node) error {
		e := Environment{ID: id}
		if err := v.Decode(&e); err != nil {
			return err
		}
		if e.Label == "" {
			e.Label = id
		}
		*es = append(*es, e)
		return nil
	})
}

// Has reports whether there is an environment with the given id.
func (es Environments) Has(id string) bool {
	return slices.ContainsFunc(es, func(e Environment) bool { return e.ID == id })
}

// question is the field that asks for the environment.
func (es Environments) question() Fields {
	if len(es) == 0 {
		return nil
	}
	f := Field{Name: EnvironmentInput, Label: "Environment", Type: "select", Default: es[0].ID}
	for _, e := range es {
		f.Options = append(f.Options, Option{Value: e.ID, Label: e.Label, Values: e.Values})
	}
	return Fields{f}
}

// valueNames lists the names that the options of f stand for.
func (f Field) valueNames() []string {
	all := map[string]bool{}
	for _, o := range f.Options {
		for name := range o.Values {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// chosen is what the option of f stands for that was answered; without an answer, the default counts.
func (f Field) chosen(answer string) map[string]string {
	if answer == "" {
		answer = f.Default
	}
	i := slices.IndexFunc(f.Options, func(o Option) bool { return o.Value == answer })
	if i < 0 {
		return nil
	}
	return f.Options[i].Values
}

// SetChoices adds to env what the options stand for that were answered before connecting and for the
// method: values and environment.
func (c *Connector) SetChoices(env Env, a *Auth, answer func(field string) string) {
	var values map[string]any
	for _, fs := range []Fields{c.Inputs, a.Fields} {
		for i := range fs {
			if len(fs[i].Options) == 0 {
				continue
			}
			v := fs[i].chosen(answer(fs[i].Name))
			if len(v) == 0 {
				continue
			}
			if values == nil {
				values = map[string]any{}
				env["values"] = values
			}
			texts := make(map[string]any, len(v))
			for name, text := range v {
				texts[name] = text
			}
			values[fs[i].Name] = texts
			if fs[i].Name == EnvironmentInput {
				env["environment"] = texts
			}
		}
	}
}

package definition

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Launch says how the provider sends people who have begun there: from its app store, say. What it says
// only fills in a form; the flow that follows is like any other.
type Launch struct {
	// Verify says how a launch is signed; nil: as the callback.
	Verify *Verify `yaml:"verify"`
	// Answers are answers to inputs, and to fields of the method, that the launch knows.
	Answers Captures `yaml:"answers"`
	// Subject names who is to be connected, for people and as whose connection it is; nil: nobody is named.
	Subject *Expression `yaml:"subject"`

	none bool // the definition says that nobody is sent
}

// UnmarshalYAML reads true, false, or a mapping.
func (l *Launch) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		var on bool
		if err := n.Decode(&on); err != nil {
			return fmt.Errorf("line %d: true or a mapping is wanted here", n.Line)
		}
		l.none = !on
		return nil
	}
	type plain Launch
	return n.Decode((*plain)(l))
}

// LaunchVerify is how a launch of a is signed; nil if nobody is sent, or nothing is signed.
func (a *Auth) LaunchVerify() *Verify {
	switch l := a.Callback.Launch; {
	case l == nil:
		return nil
	case l.Verify != nil:
		return l.Verify
	}
	return a.Callback.Verify
}

// LaunchNames lists the parameters of a launch that the definition reads.
func (a *Auth) LaunchNames() []string {
	var out []string
	if l := a.Callback.Launch; l != nil {
		for i := range l.Answers {
			out = addNew(out, l.Answers[i].Value.namesOf("callback.query")...)
		}
		out = addNew(out, l.Subject.namesOf("callback.query")...)
	}
	if v := a.LaunchVerify(); v != nil {
		out = addNew(out, v.Params()...)
	}
	return out
}

// launch compiles l.
func (k *compiler) launch(l *Launch) {
	if l == nil {
		return
	}
	k.verify(l.Verify)
	k.captures(l.Answers, inLaunch)
	k.value(l.Subject, inLaunch)
}

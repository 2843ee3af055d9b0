package definition

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Tests are calls that show whether a credential works, the best one first. One that the credential
// lacks the right for passes on to the next. Nil: not said; empty: there are none.
type Tests []*Request

// UnmarshalYAML reads one request, a list of them, or none.
func (ts *Tests) UnmarshalYAML(n *yaml.Node) error {
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == none:
		*ts = Tests{}
		return nil
	case n.Kind == yaml.SequenceNode:
		var list []*Request
		if err := n.Decode(&list); err != nil {
			return err
		}
		*ts = dropNil(list)
		return nil
	}
	r := &Request{}
	if err := n.Decode(r); err != nil {
		return err
	}
	*ts = Tests{r}
	return nil
}

// TestsFor returns the tests that apply to a: its own, or the connector's.
func (c *Connector) TestsFor(a *Auth) Tests {
	if a.Test != nil {
		return a.Test
	}
	return c.Test
}

func (k *compiler) tests(ts Tests) {
	for _, r := range ts {
		k.request(r, inCall, "credential")
	}
}

// captured are the names that some test captures.
func (ts Tests) captured() []string {
	var out []string
	for _, r := range ts {
		out = append(out, r.Capture.names()...)
	}
	return out
}

// tests calls f for every request of ts, with its JSON pointer; at is the pointer of ts.
func (l *linter) tests(ts Tests, at string, f func(r *Request, at string)) {
	for i, r := range ts {
		where := at
		if l.has(at + "/0") {
			where = fmt.Sprintf("%s/%d", at, i)
		}
		f(r, where)
	}
}

func testRules() []Rule {
	return []Rule{
		{"skip-when-unused", LevelError, "Only a test that has another after it can be skipped.", lintSkipWhen},
	}
}

func lintSkipWhen(l *linter) {
	l.requests(func(r *Request, at string) {
		if r.SkipWhen == nil {
			return
		}
		for _, ts := range l.allTests() {
			if i := slices.Index(ts, r); i >= 0 && i < len(ts)-1 {
				return
			}
		}
		l.reportKey(at+"/skip_when", "no other test follows that could be made instead; list the tests under test, or take skip_when away")
	})
}

func (l *linter) allTests() []Tests {
	all := []Tests{l.c.Test}
	for _, a := range l.c.Auth {
		all = append(all, a.Test)
	}
	return all
}

package auth

import (
	"fmt"
	"io"
)

// learnt holds what is known only while a flow completes. It is full of secrets, so it is not kept and
// not printed with the credential that carries it: a pointer, because what is inside an unexported field
// is printed without its methods being asked.
type learnt struct{ facts *facts }

// facts are the answer of the token endpoint, the claims of a verified ID token, and how the browser came
// back. An identity is read from them.
type facts struct {
	body   any
	claims map[string]any
	query  map[string]any
}

// Format writes nothing of it, whatever the verb.
func (learnt) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[answer]") }

// MarshalJSON writes nothing of it either.
func (learnt) MarshalJSON() ([]byte, error) { return []byte(`"[answer]"`), nil }

func (c *Credential) facts() facts {
	if l, _ := c.Answer.(learnt); l.facts != nil {
		return *l.facts
	}
	return facts{}
}

// answer is the body of the token endpoint's answer.
func (c *Credential) answer() any { return c.facts().body }

// claims are those of the ID token, if it was verified.
func (c *Credential) claims() map[string]any {
	if claims := c.facts().claims; claims != nil {
		return claims
	}
	return map[string]any{}
}

// cameBack is what formulas read as callback once the flow completes.
func (c *Credential) cameBack() map[string]any {
	query := c.facts().query
	if query == nil {
		query = map[string]any{}
	}
	return map[string]any{"redirect_uri": "", "code": "", "query": query}
}

// learn adds to what c brings the claims that its ID token proves, and how the browser came back.
func (r Request) learn(c *Credential, claims map[string]any) {
	known := c.facts()
	known.claims = claims
	known.query, _ = r.callback["query"].(map[string]any)
	c.Answer = learnt{&known}
}

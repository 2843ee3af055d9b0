package auth

import (
	"fmt"
	"strings"

	"dowel/engine/definition"
)

// Explain writes Explanation as text, one query parameter a line.
func Explain(methods Registry, k *definition.Connector, redirectURI string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s), version %s\n", k.Name, k.ID, k.Version)
	for _, m := range Explanation(methods, k, redirectURI) {
		fmt.Fprintf(&b, "\nmethod %s: %s\n", m.Method, m.Kind)
		for _, r := range m.Requests {
			r.write(&b)
		}
	}
	return b.String()
}

func (r ExplainedRequest) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n  %s\n", r.Title)
	if r.Depends != "" {
		fmt.Fprintf(b, "    depends on values of the connection: %s\n", r.Depends)
		return
	}
	fmt.Fprintf(b, "    %s %s\n", r.Method, r.URL)
	for _, p := range r.Query {
		fmt.Fprintf(b, "      %s\n", p)
	}
	for _, h := range r.Headers {
		fmt.Fprintf(b, "    %s: %s\n", h.Name, h.Value)
	}
	if r.Body != "" {
		fmt.Fprintf(b, "\n    %s\n", r.Body)
	}
	if r.Note != "" {
		fmt.Fprintf(b, "    (%s)\n", r.Note)
	}
	for _, t := range r.Tokens {
		fmt.Fprintf(b, "\n    %s is a signed token\n      header %s\n      claims %s\n", t.Name, t.Header, t.Claims)
	}
}

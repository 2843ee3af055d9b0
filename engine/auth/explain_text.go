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
	fmt.Fprintf(b, "    %s\n", cited(r.Method+" "+r.URL, r.URLFrom))
	if r.Certificate {
		fmt.Fprintf(b, "    shown the client certificate\n")
	}
	for i, p := range r.Query {
		from := ""
		if i < len(r.QueryFrom) {
			from = r.QueryFrom[i]
		}
		fmt.Fprintf(b, "      %s\n", r.cited(p, from))
	}
	for _, h := range r.Headers {
		fmt.Fprintf(b, "    %s\n", cited(h.Name+": "+h.Value, h.From))
	}
	if r.Body != "" {
		fmt.Fprintf(b, "\n    %s\n", r.Body)
	}
	for _, f := range r.BodyFrom {
		fmt.Fprintf(b, "      %s\n", r.cited(f.Name, f.Value))
	}
	if r.Note != "" {
		fmt.Fprintf(b, "    (%s)\n", r.Note)
	}
	for _, t := range r.Tokens {
		fmt.Fprintf(b, "\n    %s is a signed token\n      header %s\n      claims %s\n", t.Name, t.Header, t.Claims)
	}
}

// cited is cited, the other way round for what is taken.
func (r ExplainedRequest) cited(what, from string) string {
	if !r.Taken || from == "" {
		return cited(what, from)
	}
	return fmt.Sprintf("%-52s → %s", what, from)
}

// cited adds to what is sent where it comes from.
func cited(what, from string) string {
	if from == "" {
		return what
	}
	return fmt.Sprintf("%-52s ← %s", what, from)
}

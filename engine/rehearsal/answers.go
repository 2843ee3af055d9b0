package rehearsal

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"

	"dowel/engine/definition"
	"dowel/engine/simulator"
)

// Answers fills in a form as a person would whose answers are all good: with the example, the default,
// the first option, or something of the type, format and pattern that is wanted. What need not be
// answered is not, except for secrets: one of several may be what connects. It fails for a field for
// which it can think of no answer.
func Answers(fields ...definition.Fields) (map[string]string, error) {
	out := map[string]string{}
	for _, fs := range fields {
		for _, f := range fs {
			if f.Hidden || f.Disabled || !f.Must() && !f.Secret() {
				continue
			}
			v, ok := first(f, candidates(f), func(v string) bool { return !f.Secret() || !simulator.Wrong(v) })
			if !ok && f.Must() {
				return nil, fmt.Errorf("no answer to %s comes to mind; give the field an example", f.Name)
			}
			if ok {
				out[f.Name] = v
			}
		}
	}
	return out, nil
}

// spoilt returns the answers with every secret replaced by one that providers refuse. It reports false if
// that cannot be had, because there is no secret or its pattern leaves no room.
func spoilt(answers map[string]string, fields ...definition.Fields) (map[string]string, bool) {
	out := map[string]string{}
	for k, v := range answers {
		out[k] = v
	}
	done := false
	for _, fs := range fields {
		for _, f := range fs {
			if !f.Secret() || out[f.Name] == "" {
				continue
			}
			if f.Format == "pem" && out[f.Name] == privateKey() {
				// A key is wrong if it is another's: words beside it change nothing.
				out[f.Name], done = strangeKey(), true
				continue
			}
			v, ok := first(f, ruined(out[f.Name]), simulator.Wrong)
			if !ok {
				return nil, false
			}
			out[f.Name], done = v, true
		}
	}
	return out, done
}

// ruined are ways to write the simulator's word for a wrong secret into a good one.
func ruined(good string) []string {
	out := []string{"a wrong value", "wrong", good + "wrong", "wrong" + good}
	for _, word := range []string{"wrong", "WRONG", "badbad", "BADBAD"} {
		for at := len(good) - len(word); at >= 0; at-- {
			out = append(out, good[:at]+word+good[at+len(word):])
		}
	}
	return out
}

// first returns the first of the candidates that the field accepts and fit finds fit.
func first(f definition.Field, candidates []string, fit func(string) bool) (string, bool) {
	for _, v := range candidates {
		if v == "" || !fit(v) {
			continue
		}
		clean, bad := (definition.Fields{f}).Answers(map[string]string{f.Name: v})
		if len(bad) == 0 && clean[f.Name] != "" {
			return v, true
		}
	}
	return "", false
}

// candidates are answers to try, the most fitting first.
func candidates(f definition.Field) []string {
	out := []string{f.Example, f.Default}
	for _, o := range f.Options {
		out = append(out, o.Value)
	}
	if f.Pattern != "" {
		for _, more := range []int{1, 0, 2, 8, 20} {
			out = append(out, sample(f.Pattern, more))
		}
	}
	switch kind := f.Format; kind {
	case "email":
		out = append(out, "ana@example.com")
	case "uuid":
		out = append(out, "0b1e2d3c-4a5f-4678-9012-3456789abcde")
	case "host":
		out = append(out, "acme.example.com", "acme")
	case "url":
		out = append(out, "https://acme.example.com")
	case "pem", "key":
		return append(out, privateKey())
	case "json":
		return append(out, `{"client_email": "ana@example.com"}`)
	}
	switch f.Type {
	case "number":
		out = append(out, number(f)...)
	case "boolean":
		out = append(out, "true")
	case "url":
		out = append(out, "https://acme.example.com")
	case "host":
		out = append(out, "acme.example.com", "acme")
	}
	return append(out, "acme"+strings.ReplaceAll(f.Name, "_", ""), "acme", "A", "1")
}

// privateKey is a key as a person would paste it, made once.
var privateKey = sync.OnceValue(newPrivateKey)

// strangeKey is a key that no provider knows.
var strangeKey = sync.OnceValue(newPrivateKey)

func newPrivateKey() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return ""
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func number(f definition.Field) []string {
	out := []string{"1", "1000"}
	for _, bound := range []*float64{f.Min, f.Max} {
		if bound != nil {
			out = append(out, fmt.Sprint(*bound))
		}
	}
	return out
}

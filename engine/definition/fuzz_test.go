package definition

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzParse: whatever the text, reading ends soon, does not panic, and says where something is wrong.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{testdata + "/*.yaml", "../../connectors/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(source, false)
			if d := read("seed.yaml", source); d.root != nil {
				f.Add(jsonOf(d.root), true)
			}
		}
	}
	f.Fuzz(func(t *testing.T, source []byte, isJSON bool) {
		name := "fuzz.yaml"
		if isJSON {
			name = "fuzz.json"
		}
		start := time.Now()
		c, findings := Parse(name, source)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Parse took %v", took)
		}
		if (c == nil) != HasErrors(findings) {
			t.Errorf("connector %v with findings %v", c, findings)
		}
		lines := strings.Count(string(source), "\n") + 1
		for _, found := range findings {
			// The YAML reader also breaks lines at characters that are no line ends elsewhere.
			if found.Line < 1 || found.Col < 1 || isJSON && found.Line > lines || found.Rule == "" {
				t.Errorf("finding %v in %d lines", found, lines)
			}
		}
		if c == nil {
			return
		}
		if again, _ := Parse(name, source); again == nil || again.Version != c.Version {
			t.Errorf("the same text is read otherwise the second time")
		}
	})
}

// FuzzFillURL: a value stays in its part of the address, whatever it is.
func FuzzFillURL(f *testing.F) {
	for _, v := range []string{"acme", "evil.com/", "a@b", "..", "%2e%2e", "a?b#c", "a\\b", "a:b@c", "x.evil.com", "例え", "a%00b", "[::1]"} {
		f.Add(v)
	}
	source := "id: x\nname: X\ninputs: {v: {label: V}}\nhosts: [\"${inputs.v}.example.com\", \"*.example.com\"]\nauth: [{id: a, kind: bearer}]\n" +
		"api: {base_url: \"https://${inputs.v}.example.com/v1\"}\ntest: {get: \"/a/${inputs.v}/b?c=${inputs.v}&d=e\"}\n"
	c, findings := Parse("x.yaml", []byte(source))
	if c == nil {
		f.Fatal(findings)
	}
	f.Fuzz(func(t *testing.T, v string) {
		env := Env{"inputs": map[string]any{"v": v}}
		base, err := c.API.BaseURL.FillURL(env)
		if err == nil && (base.Scheme != "https" || base.Host != v+".example.com" || base.Path != "/v1" || base.User != nil || base.RawQuery != "") {
			t.Errorf("%q in the host fills to %v", v, base)
		}
		fixed, err := c.API.BaseURL.FillURL(Env{"inputs": map[string]any{"v": "acme"}})
		if err != nil {
			t.Fatal(err)
		}
		u, err := c.Test[0].URL.FillUnder(fixed, env)
		if err != nil {
			return
		}
		segments := strings.Split(u.EscapedPath(), "/")
		query := u.Query()
		if u.Host != "acme.example.com" || len(segments) != 5 || segments[2] != "a" || segments[4] != "b" || segments[3] == ".." || u.Path != "/v1/a/"+v+"/b" {
			t.Errorf("%q in the path fills to %v", v, u)
		}
		if query.Get("c") != v || query.Get("d") != "e" || len(query) != 2 {
			t.Errorf("%q in the query fills to %v", v, u)
		}
	})
}

// FuzzFormula: a formula that may stand where a browser sees it cannot yield a secret, and ends soon.
func FuzzFormula(f *testing.F) {
	for _, s := range []string{
		"inputs.site", "fields.key", "toJSON(fields)", "$env", "get(fields, 'key')", "app.client_secret", "keys(app)[0]", "map([1], #)",
		"let x = inputs.site; x + x", "[fields][0].key", "callback.query.code", "{'a': app}", "fields?.key", "filter([app], true)", "upper(inputs.site)[0:2]",
		"app['client_' + 'secret']", "credential", "inputs.site | base64()", "callback", "1..9", "replace(inputs.site, 'a', 'aaaaaaaa')",
	} {
		f.Add(s)
	}
	n := names{
		inputs: Fields{{Name: "site"}, {Name: "token", Type: "password"}},
		fields: Fields{{Name: "key", Type: "password"}, {Name: "user"}},
	}
	const canary = "CANARY"
	secret := func(name string) map[string]any { return map[string]any{name: canary, "site": "s", "user": "u"} }
	env := Env{
		"inputs": secret("token"), "fields": secret("key"), "credential": secret("access_token"), "captured": map[string]any{},
		"app":      map[string]any{"client_id": "id", "client_secret": canary},
		"callback": map[string]any{"redirect_uri": "r", "code": "", "query": map[string]any{}},
	}
	// In these places there is no code yet; a code that comes back is used up by then.
	f.Fuzz(func(t *testing.T, source string) {
		fs := newFormulas()
		for _, p := range []place{inAuthorize, inHosts, inIssuer} {
			compiled := fs.compile(source, p)
			if compiled.fault != nil {
				continue
			}
			for _, u := range compiled.uses {
				if n.check(u, p) != nil {
					return
				}
			}
			e := &Expression{Source: source, program: compiled.program, path: compiled.path}
			start := time.Now()
			v, err := e.Eval(env)
			if took := time.Since(start); took > time.Second {
				t.Errorf("%q took %v", source, took)
			}
			said := fmt.Sprint(v, err)
			if strings.Contains(strings.ToUpper(said), canary) && !strings.Contains(strings.ToUpper(source), canary) {
				t.Errorf("%q yields %s", source, said)
			}
		}
	})
}

package authtest

import (
	"maps"
	"net/url"
	"strings"
	"testing"

	"dowel/engine/auth"
	"dowel/engine/definition"
	"dowel/engine/fault"
)

// testCallbackKept: what the callback tells is kept where the definition says, and is nowhere else.
func testCallbackKept(t *testing.T, b *bench) {
	done, err := b.obtain(t)
	if err != nil {
		t.Fatal(err)
	}
	env := definition.Env{"callback": map[string]any{"query": anyOf(b.brought()), "posted": b.with.Posted}}
	for _, c := range b.request.Auth.Callback.Capture {
		if want := c.Value.Text(env); done.Captured[c.Name] != want || want == "" {
			t.Errorf("captured %s = %q, want %q", c.Name, done.Captured[c.Name], want)
		}
	}
	for _, c := range b.request.Auth.Callback.Fields {
		if want := c.Value.Text(env); done.Credential.Fields[c.Name].Reveal() != want || want == "" {
			t.Errorf("field %s is not what the callback answers", c.Name)
		}
	}
	for name, v := range b.with.Fields {
		if done.Credential.Fields[name].Reveal() != v {
			t.Errorf("the field %s is not what was typed", name)
		}
	}
}

func anyOf(query url.Values) map[string]any {
	out := map[string]any{}
	for name, v := range query {
		out[name] = v[0]
	}
	return out
}

// testCallbackLacks: a callback without something that the definition needs is refused before anything
// is sent.
func testCallbackLacks(t *testing.T, b *bench) {
	needed := append([]string{}, b.request.Auth.Callback.Required...)
	for _, c := range b.request.Auth.Callback.Fields {
		// A field that is read from one parameter lacks its answer without that.
		if f, _ := b.request.Auth.Fields.Named(c.Name); f.Must() {
			needed = append(needed, lastOf(c.Value.Source))
		}
	}
	for _, name := range needed {
		for what, value := range map[string]string{"absent": "", "empty": ""} {
			t.Run(name+" "+what, func(t *testing.T) {
				_, p := b.begin(t)
				_, err := b.spoilt(t, p, name, value, what == "empty")
				if f := fault.As(err); f == nil || f.Kind != fault.Refused || f.Code != "callback-incomplete" {
					t.Errorf("%v, want refused, callback-incomplete", err)
				}
				if n := len(b.provider.requests()); n != 0 {
					t.Errorf("the provider was sent %d requests", n)
				}
			})
		}
	}
	for _, c := range b.request.Auth.Callback.Fields {
		t.Run(c.Name+" with a control character", func(t *testing.T) {
			_, p := b.begin(t)
			if _, err := b.spoilt(t, p, lastOf(c.Value.Source), Canary+"\r\nX: 1", true); fault.KindOf(err) != fault.Refused {
				t.Errorf("%v, want it refused", err)
			}
		})
	}
}

// lastOf is the name that a formula ends in.
func lastOf(formula string) string { return formula[strings.LastIndexByte(formula, '.')+1:] }

// spoilt completes with one of the parameters changed, or without it, whoever brings it.
func (b *bench) spoilt(t *testing.T, p auth.Pending, name, value string, there bool) (auth.Done, error) {
	t.Helper()
	q := b.brought()
	if q.Has(name) || b.with.Posted == nil {
		if q.Del(name); there {
			q.Set(name, value)
		}
		return b.complete(t, p, q)
	}
	good := b.with.Posted
	defer func() { b.with.Posted = good }()
	b.with.Posted = maps.Clone(good)
	if delete(b.with.Posted, name); there {
		b.with.Posted[name] = value
	}
	return b.complete(t, p, q)
}

// testAwaits: a browser that is back before the provider's server has posted waits, and nothing is sent.
func testAwaits(t *testing.T, b *bench) {
	_, p := b.begin(t)
	step, err := b.method.Complete(t.Context(), b.request, p, auth.Answer{Query: b.withState(p)})
	if _, waits := step.(auth.Wait); err != nil || !waits {
		t.Errorf("step %T, %v; want a wait", step, err)
	}
	if n := len(b.provider.requests()); n != 0 {
		t.Errorf("the provider was sent %d requests", n)
	}
	q := b.withState(p)
	q.Set("error", "access_denied")
	if _, err := b.method.Complete(t.Context(), b.request, p, auth.Answer{Query: q}); fault.KindOf(err) != fault.Refused {
		t.Errorf("a person who said no: %v, want it refused and nothing waited for", err)
	}
}

package authtest

import (
	"net/url"
	"testing"

	"dowel/engine/definition"
	"dowel/engine/fault"
)

// testCallbackKept: what the callback tells is kept where the definition says, and is nowhere else.
func testCallbackKept(t *testing.T, b *bench) {
	done, err := b.obtain(t)
	if err != nil {
		t.Fatal(err)
	}
	env := definition.Env{"callback": map[string]any{"query": any(anyOf(b.brought()))}}
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
			needed = append(needed, c.Value.Source[len("callback.query."):])
		}
	}
	for _, name := range needed {
		for what, spoil := range map[string]func(url.Values){
			"absent": func(q url.Values) { q.Del(name) },
			"empty":  func(q url.Values) { q.Set(name, "") },
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				_, p := b.begin(t)
				q := b.brought()
				spoil(q)
				_, err := b.complete(t, p, q)
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
			q := b.brought()
			q.Set(c.Value.Source[len("callback.query."):], Canary+"\r\nX: 1")
			if _, err := b.complete(t, p, q); fault.KindOf(err) != fault.Refused {
				t.Errorf("%v, want it refused", err)
			}
		})
	}
}

package definition

import (
	"reflect"
	"testing"
)

func TestAPathIsReadAsTheMachineReadsIt(t *testing.T) {
	env := Env{"response": map[string]any{
		"status": 200, "body": map[string]any{"a": map[string]any{"b": "x"}, "n": nil, "list": []any{1}, "text": "t"},
	}}
	for _, source := range []string{
		"response.body.a.b", "response.body.a", "response.body.a.c", "response.body.n.x", "response.body.zz.y.z",
		"response.body.list", "response.status", "response.body.a.b.c", "response.body.list.x",
	} {
		k, findings := Parse("x.yaml", []byte("id: x\nname: X\nhosts: [x.example]\nauth: [{id: a, kind: api_key, fields: {k: {type: password}}, apply: {headers: {A: \"${fields.k}\"}}}]\ntest: {get: \"https://x.example/\", success: \"true\", capture: {v: "+source+"}}\n"))
		if k == nil {
			t.Fatal(findings)
		}
		e := k.Test[0].Capture[0].Value
		quick := e.Value(env)
		e.path = nil
		if slow := e.Value(env); !reflect.DeepEqual(quick, slow) {
			t.Errorf("%s: %v by path, %v by machine", source, quick, slow)
		}
	}
}

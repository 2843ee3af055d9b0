package auth

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dowel/engine/definition"
	"dowel/engine/egress"
)

func TestRead(t *testing.T) {
	object := func(v any) map[string]any { return map[string]any{"a": v} }
	for _, tt := range []struct {
		name, body string
		want       any
		err        error
	}{
		{"empty", "", nil, nil},
		{"blanks", " \r\n", nil, nil},
		{"object", `{"a":"x"}`, object("x"), nil},
		{"after a BOM", "\xef\xbb\xbf {\"a\":\"x\"}", object("x"), nil},
		{"array", `["x",1]`, []any{"x", 1}, nil},
		{"empty ones", `{"a":[{},[]]}`, object([]any{map[string]any{}, []any{}}), nil},
		{"text", `"x"`, "x", nil},
		{"escapes", `{"a":"\u0041\/\ud83d\ude00"}`, object("A/😀"), nil},
		{"whole number", `{"a":9007199254740993}`, object(9007199254740993), nil},
		{"long id", `{"a":18446744073709551617}`, object(json.Number("18446744073709551617")), nil},
		{"fraction", `{"a":1.5}`, object(1.5), nil},
		{"exponent", `{"a":1e3}`, object(1000.0), nil},
		{"literals", `{"a":[true,false,null]}`, object([]any{true, false, nil}), nil},
		{"form", "a=x%20y+z", object("x y z"), nil},
		{"null", "null", nil, errNeither},
		{"number", "7", nil, errNeither},
		{"words", "Service unavailable", nil, errNeither},
		{"form with a member twice", "a=1&a=2", nil, errDuplicate},
		{"page", "<!doctype html>", nil, errPage},
		{"broken off", `{"a":"x`, nil, errNotJSON},
		{"broken off between", `{"a":"x",`, nil, errNotJSON},
		{"comma too many", `{"a":[1,]}`, nil, errNotJSON},
		{"wrong bracket", `{"a":[1}}`, nil, errNotJSON},
		{"key that is none", `{1:2}`, nil, errNotJSON},
		{"two values", `{"a":1}{"a":2}`, nil, errTrailing},
		{"member twice", `{"a":1,"a":1}`, nil, errDuplicate},
		{"member twice within", `[{"b":{"a":1,"\u0061":2}}]`, nil, errDuplicate},
		{"not UTF-8", "{\"a\":\"\xff\"}", nil, errNotUTF8},
		{"UTF-16", "\xff\xfe{\x00}\x00", nil, errNotUTF8},
		{"as deep as allowed", strings.Repeat("[", 100) + strings.Repeat("]", 100), nested(100), nil},
		{"too deep", strings.Repeat(`{"a":`, 500_000), nil, errDeep},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(&egress.Response{Status: 200, Body: []byte(tt.body)}, definition.Reading{})
			if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Fatalf("read(%.40q): %v, want %v", tt.body, err, tt.err)
			}
			if !reflect.DeepEqual(got.body, tt.want) { // cmp takes for ever where it is deep
				t.Errorf("read(%.40q) = %#v, want %#v", tt.body, got.body, tt.want)
			}
			if got.page != errors.Is(tt.err, errPage) {
				t.Errorf("page = %v", got.page)
			}
		})
	}
}

func nested(depth int) any {
	v := []any{}
	for range depth - 1 {
		v = []any{v}
	}
	return v
}

func TestScopeList(t *testing.T) {
	for _, tt := range []struct {
		name, separator string
		in              any
		want            []string
	}{
		{"blanks", "", "a b  c", []string{"a", "b", "c"}},
		{"commas", "", "a,b, c,", []string{"a", "b", "c"}},
		{"a comma belongs to the scope", " ", "a,b c", []string{"a,b", "c"}},
		{"another separator", "|", "a|b c", []string{"a", "b", "c"}},
		{"list of JSON", "", []any{"a", 7, nil, ""}, []string{"a", "7"}},
		{"list of a formula", "", []string{"a", "b"}, []string{"a", "b"}},
		{"empty", "", "", nil},
		{"absent", "", nil, nil},
		{"object", "", map[string]any{"a": true}, nil},
		{"not clean", "", []any{"a\u202eb\r\n", strings.Repeat("x", 300)}, []string{"a b", strings.Repeat("x", 199) + "…"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, scopeList(tt.in, tt.separator)); diff != "" {
				t.Errorf("scopeList(%v, %q) (-want +got):\n%s", tt.in, tt.separator, diff)
			}
		})
	}
}

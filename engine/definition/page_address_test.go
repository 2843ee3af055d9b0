package definition_test

import (
	"net/url"
	"testing"

	"dowel/engine/definition"
)

func TestParametersStandWhereThePageLooksForThem(t *testing.T) {
	for address, want := range map[string]string{
		"https://x.example/authorize":               "https://x.example/authorize?a=1",
		"https://x.example/authorize?b=2":           "https://x.example/authorize?b=2&a=1",
		"https://x.example/#/authorize":             "https://x.example/#/authorize?a=1",
		"https://x.example/?b=2#/authorize":         "https://x.example/?b=2#/authorize?a=1",
		"https://x.example/#!/authorize?b=2":        "https://x.example/#!/authorize?b=2&a=1",
		"https://x.example/authorize#mark":          "https://x.example/authorize?a=1#mark",
		"https://x.example/authorize?b=2#mark?c=/d": "https://x.example/authorize?b=2&a=1#mark?c=/d",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got, err := definition.AddQuery(u, "a=1")
		if err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", address, got, err, want)
		}
		if got, err := definition.AddQuery(u, ""); err != nil || got.String() != address {
			t.Errorf("%s without parameters: %v, %v", address, got, err)
		}
	}
}

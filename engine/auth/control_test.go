package auth

import (
	"strings"
	"testing"
)

func TestAControlCharacterIsFoundWherever(t *testing.T) {
	for n := range 20 {
		for c := range 256 {
			s := strings.Repeat("a", n) + string([]byte{byte(c)}) + strings.Repeat("~", 19-n)
			want := c < ' ' && c != '\t' || c == 0x7f
			if got := hasControl(s); got != want {
				t.Fatalf("hasControl(%q) = %v", s, got)
			}
		}
	}
}

package definition

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// within finds the place of a byte of text, which is the value at the given place. A value that is
// written with escapes or over several lines is pointed at as a whole, and one that the file does not
// hold, because its kind brings it along, at its method.
func (k *compiler) within(at Position, text string, offset int) Position {
	if k.lines == nil {
		k.lines = strings.Split(string(k.d.source), "\n")
	}
	if at.Line < 1 || at.Line > len(k.lines) {
		method, _ := find(k.d.root, fmt.Sprintf("/auth/%d", k.method))
		return method.at()
	}
	rest := k.lines[at.Line-1]
	for range at.Col - 1 {
		_, n := utf8.DecodeRuneInString(rest)
		rest = rest[n:]
	}
	col := at.Col
	if strings.HasPrefix(rest, `"`) || strings.HasPrefix(rest, "'") {
		rest, col = rest[1:], col+1
	}
	if !strings.HasPrefix(rest, text) || offset > len(text) {
		return at
	}
	return Position{at.Line, col + utf8.RuneCountInString(text[:offset])}
}

// byteOffset turns an offset in characters into one in bytes.
func byteOffset(s string, characters int) int {
	for i := range s {
		if characters == 0 {
			return i
		}
		characters--
	}
	return len(s)
}

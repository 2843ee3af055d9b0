package ui

import (
	"regexp"
	"strings"
)

// slot is a name in brackets, which stands for a value that is secret or not yet known.
var slot = regexp.MustCompile(`\[[A-Za-z_][A-Za-z0-9_. -]*\]`)

// slots tells the names in brackets from the text around them.
func slots(s string) []piece {
	var out []piece
	at := 0
	for _, m := range slot.FindAllStringIndex(s, -1) {
		if m[0] > at {
			out = append(out, piece{"", s[at:m[0]]})
		}
		out = append(out, piece{"slot", s[m[0]:m[1]]})
		at = m[1]
	}
	if at < len(s) {
		out = append(out, piece{"", s[at:]})
	}
	return out
}

// purpose is what a request is for, in words.
type purpose struct {
	Title  string
	Detail string // which of several: the name of a step
	About  string // a sentence; may be empty
}

// purposeOf words the title of a request, whose first word says what it is for: the texts "sent.<word>"
// and "sent.<word>.about". A title we have no words for is its own.
func (u *UI) purposeOf(title string) purpose {
	word, detail := title, ""
	if i := strings.IndexAny(title, " ,"); i >= 0 {
		word, detail = title[:i], strings.TrimLeft(title[i:], " ,")
	}
	text, ok := u.texts["sent."+word]
	if !ok {
		return purpose{Title: titled(title)}
	}
	return purpose{text, detail, u.texts.or("sent."+word+".about", "")}
}

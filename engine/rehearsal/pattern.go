package rehearsal

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

// sample makes a text that matches pattern, taking more repetitions than the least where it may; empty
// if it cannot think of one.
func sample(pattern string, more int) string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	write(&b, tree.Simplify(), more)
	whole, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err != nil || !whole.MatchString(b.String()) {
		return ""
	}
	return b.String()
}

// longestSample bounds a text, however much a pattern repeats.
const longestSample = 4096

// write appends something that re matches. Anchors and word boundaries are taken to hold.
func write(b *strings.Builder, re *syntax.Regexp, more int) {
	if b.Len() > longestSample {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		b.WriteRune(pick(re.Rune, b.Len()))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteRune(plainRunes[b.Len()%len(plainRunes)])
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			write(b, sub, more)
		}
	case syntax.OpAlternate:
		write(b, re.Sub[0], more)
	case syntax.OpStar, syntax.OpQuest, syntax.OpPlus, syntax.OpRepeat:
		for range times(re, more) {
			write(b, re.Sub[0], more)
		}
	}
}

// times is how often a repetition is repeated.
func times(re *syntax.Regexp, more int) int {
	switch re.Op {
	case syntax.OpStar:
		return more
	case syntax.OpQuest:
		return min(more, 1)
	case syntax.OpPlus:
		return 1 + more
	}
	if re.Max < 0 {
		return re.Min + more
	}
	return min(re.Min+more, re.Max)
}

// plainRunes are what a text is made of where it may be: it spells no word.
var plainRunes = [...]rune{'k', '7', 'q', '3', 'x', '9', 'm', '2'}

// pick chooses a rune of a class, given as pairs of bounds; at is where it will stand.
func pick(class []rune, at int) rune {
	in := func(r rune) bool {
		for i := 0; i+1 < len(class); i += 2 {
			if class[i] <= r && r <= class[i+1] {
				return true
			}
		}
		return false
	}
	for i := range plainRunes {
		if r := plainRunes[(at+i)%len(plainRunes)]; in(r) {
			return r
		}
	}
	for _, r := range "1a2c3eKQXM-_./+" {
		if in(r) {
			return r
		}
	}
	for i := 0; i+1 < len(class); i += 2 {
		for r := class[i]; r <= min(class[i+1], class[i]+0x80); r++ {
			if unicode.IsPrint(r) {
				return r
			}
		}
	}
	return '?'
}

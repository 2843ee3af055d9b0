package ui

import (
	"regexp"
	"strings"
)

// piece is a part of a line that is drawn in one way; Class is a class of the style sheet or empty.
type piece struct{ Class, Text string }

// sourceLine is one line of a definition with what the linter says about it.
type sourceLine struct {
	Number   int
	Pieces   []piece
	Findings []Finding
}

// Level is that of the worst finding; empty if there is none.
func (l sourceLine) Level() string {
	level := ""
	for _, f := range l.Findings {
		if level = f.Level; level == "error" {
			break
		}
	}
	return level
}

// sourceLines sets a definition in type. Only keys and comments are told apart, line by line: enough
// for the eye, and nothing depends on it.
func sourceLines(source string, findings []Finding) []sourceLine {
	var out []sourceLine
	for i, text := range strings.Split(strings.TrimRight(source, "\r\n"), "\n") {
		l := sourceLine{Number: i + 1, Pieces: yamlPieces(strings.TrimSuffix(text, "\r"))}
		for _, f := range findings {
			if f.Line == l.Number {
				l.Findings = append(l.Findings, f)
			}
		}
		out = append(out, l)
	}
	return out
}

// yamlKey is a key at the beginning of a line, after the dashes of the lists it begins.
var yamlKey = regexp.MustCompile(`^(\s*(?:- +)*)("[^"]*"|'[^']*'|[\w.$/-]+)(:)(?:\s|$)`)

func yamlPieces(line string) []piece {
	var out []piece
	add := func(class, text string) {
		if text != "" {
			out = append(out, piece{class, text})
		}
	}
	at := commentAt(line)
	rest, comment := line[:at], line[at:]
	if m := yamlKey.FindStringSubmatchIndex(rest); m != nil {
		add("", rest[:m[4]])
		add("key", rest[m[4]:m[5]])
		rest = rest[m[5]:]
	}
	add("", rest)
	add("comment", comment)
	return out
}

// commentAt finds where the comment of a line begins, or its end. A quote opens only where a value may
// begin, so that an apostrophe is none.
func commentAt(line string) int {
	quote, before := byte(0), byte(':')
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '"' && c == '\\':
			i++ // whatever follows is escaped
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && strings.IndexByte(":,[{-", before) >= 0:
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return i
		}
		if c != ' ' && c != '\t' {
			before = c
		}
	}
	return len(line)
}

package definition

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// bombs are texts made to cost more than they are worth.
func bombs() map[string]string {
	room := maxBytes - 1<<10
	fill := func(unit string) string { return strings.Repeat(unit, room/len(unit)) }
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < room; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	laughs := "a0: &a0 [lol]\n"
	for i := range 30 {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 9), ","))
	}
	var stairs strings.Builder
	for i := 0; stairs.Len() < room; i++ {
		stairs.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return map[string]string{
		"billion laughs":      laughs,
		"anchor in a cycle":   "a: &a [*a]\n",
		"merge of itself":     "a: &a {<<: *a}\n",
		"10 MB of text":       "name: " + strings.Repeat("a", 10<<20),
		"10 MB of brackets":   strings.Repeat("[", 10<<20),
		"brackets":            fill("["),
		"braces":              fill("{"),
		"braces in members":   fill("{a: "),
		"lists in lists":      fill("- "),
		"keys of keys":        fill("? "),
		"stairs":              stairs.String(),
		"many items":          "[" + fill("0,") + "]",
		"many empty items":    "a:\n" + fill("-\n"),
		"many keys in braces": "{" + numbered("k%d,") + "}",
		"many keys":           numbered("k%d: 0\n"),
		"one key many times":  fill("k: 0\n"),
		"a huge key":          fill("k") + ": 0\n",
		"huge unknown keys":   "auth: [{id: a, kind: " + fill("k") + "}]\n",
		"comments":            fill("#\n"),
		"comments after":      fill("a #\n"),
		"blank lines":         "a: " + fill("\n b"),
		"an open quote":       "a: '" + fill("b ''"),
		"escapes":             `a: "` + fill(`\u0041`) + `"`,
		"tags":                fill("!a "),
		"anchors":             numbered("- &a%d b\n"),
		"documents":           fill("---\n"),
		"tabs":                fill("\t"),
		"block text":          "a: |\n" + fill("  b\n"),
		"colons":              fill(": "),
		"JSON brackets":       `{"a":` + fill("["),
		"JSON items":          `{"a":[` + fill("0,") + "0]}",
		"JSON keys":           "{" + numbered(`"k%d":0,`) + `"k":0}`,
		"JSON one key":        "{" + fill(`"k":0,`) + `"k":0}`,
		"JSON endless number": `{"id":1e999999999,"name":` + strings.Repeat("9", 1000) + "}",
		"a huge formula":      "id: x\nname: X\nhosts: [x.example]\nauth: [{id: a, kind: bearer}]\ntest: {get: \"https://x.example\", success: \"" + strings.Repeat("(", maxSource-1) + "\"}\n",
		"a huge template":     "id: x\nname: X\nhosts: [\"" + fill("${a}") + "\"]\nauth: [{id: a, kind: bearer}]\n",
		"a huge pattern":      "id: x\nname: X\nhosts: [x.example]\nauth: [{id: a, kind: bearer, fields: {t: {type: password, pattern: \"" + strings.Repeat("(a{100}){100}", 100) + "\"}}}]\n",
		"many formulas":       "id: x\nname: X\nhosts: [x.example]\nauth: [{id: a, kind: bearer}]\ntest: {post: \"https://x.example\", json: [" + numbered("\"${a%d}\",") + "]}\n",
	}
}

func TestBombsAreRefusedQuickly(t *testing.T) {
	Parse("warm.yaml", []byte("id: warm\n"))
	for name, text := range bombs() {
		for _, file := range []string{"bad.yaml", "bad.json"} {
			t.Run(name+" as "+file, func(t *testing.T) {
				var before, after runtime.MemStats
				best, bytes := time.Hour, uint64(0)
				for range 3 {
					runtime.ReadMemStats(&before)
					start := time.Now()
					c, findings := Parse(file, []byte(text))
					best = min(best, time.Since(start))
					runtime.ReadMemStats(&after)
					bytes = after.TotalAlloc - before.TotalAlloc
					if c != nil || !HasErrors(findings) {
						t.Fatalf("not refused: %v", findings)
					}
					for _, f := range findings {
						if len(f.Message) > 2000 {
							t.Errorf("a message of %d bytes: %.100s…", len(f.Message), f.Message)
						}
					}
				}
				if best > 200*time.Millisecond*slowdown {
					t.Errorf("refused after %v", best)
				}
				if bytes > 50<<20 {
					t.Errorf("refused with %d MiB", bytes>>20)
				}
			})
		}
	}
}

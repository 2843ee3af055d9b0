package ui

import (
	"fmt"
	"hash/fnv"
	"math"
	"regexp"
	"strings"
	"unicode"
)

// monogram is a tile without a logo, as drawn.
type monogram struct {
	Letters   string
	Fill, Ink string // #rrggbb
}

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// monogramOf returns one or two letters of the tile's name on its colour, in an ink that can be read
// on it.
func monogramOf(t Tile) monogram {
	fill := strings.ToLower(t.Color)
	if !hexColor.MatchString(fill) {
		fill = colorOf(t.Name)
	}
	ink := "#ffffff"
	if contrast(fill, ink) < 3 { // WCAG 2.2, 1.4.3: enough for large bold letters
		ink = "#16181d"
	}
	return monogram{Letters: letters(t.Name), Fill: fill, Ink: ink}
}

// letters takes the first letter of the first two words of name.
func letters(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var out []rune
	for _, w := range words[:min(len(words), 2)] {
		out = append(out, unicode.ToUpper([]rune(w)[0]))
	}
	if len(out) == 0 {
		return "?"
	}
	return string(out)
}

// colorOf makes a quiet colour from a name, always the same one.
func colorOf(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash does not fail
	hue := float64(h.Sum32() % 360)
	channel := func(offset float64) int {
		k := math.Mod(offset+hue/30, 12)
		return int(math.Round(255 * (0.42 - 0.18*max(-1, min(k-3, 9-k, 1)))))
	}
	return fmt.Sprintf("#%02x%02x%02x", channel(0), channel(8), channel(4))
}

// contrast is the contrast ratio of two colours (WCAG 2.2, 1.4.3): 1 to 21.
func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(hex string) float64 {
	var r, g, b uint8
	if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &r, &g, &b); err != nil {
		return 0
	}
	linear := func(c uint8) float64 {
		v := float64(c) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

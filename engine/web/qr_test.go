package web

import (
	"fmt"
	"strings"
	"testing"

	"dowel/ui"
)

// modules draws the path of a QR code.
func modules(t *testing.T, q ui.QR) [][]bool {
	t.Helper()
	out := make([][]bool, q.Size)
	for y := range out {
		out[y] = make([]bool, q.Size)
	}
	for bar := range strings.SplitSeq(strings.TrimSuffix(q.Path, "z"), "z") {
		var x, y, width, back int
		if _, err := fmt.Sscanf(bar, "M%d %dh%dv1h-%d", &x, &y, &width, &back); err != nil || width != back {
			t.Fatalf("bar %q: %v", bar, err)
		}
		for i := range width {
			out[y][x+i] = true
		}
	}
	return out
}

// TestAQRCodeIsDrawnWhereACameraLooksForIt looks at what does not depend on the text (ISO/IEC 18004 §6.3).
func TestAQRCodeIsDrawnWhereACameraLooksForIt(t *testing.T) {
	q := qrOf("https://login.example.com/device?user_code=WDJB-MJHT")
	if q.Size < 21 || (q.Size-17)%4 != 0 {
		t.Fatalf("%d modules on a side", q.Size)
	}
	at, end := modules(t, q), q.Size-7
	const finder = "#######\n#     #\n# ### #\n# ### #\n# ### #\n#     #\n#######\n"
	for _, corner := range [][2]int{{0, 0}, {end, 0}, {0, end}} {
		var got strings.Builder
		for y := range 7 {
			for x := range 7 {
				got.WriteByte(" #"[map[bool]int{true: 1}[at[corner[1]+y][corner[0]+x]]])
			}
			got.WriteByte('\n')
		}
		if got.String() != finder {
			t.Errorf("at %v stands\n%s", corner, got.String())
		}
	}
	for i := 8; i < q.Size-8; i++ {
		if at[6][i] != (i%2 == 0) || at[i][6] != (i%2 == 0) {
			t.Errorf("the timing pattern breaks off at %d", i)
		}
	}
	if other := qrOf("https://login.example.com/device?user_code=OTHER"); other.Path == q.Path {
		t.Error("another address is drawn alike")
	}
}

func TestWhatFitsNoQRCodeIsNotDrawn(t *testing.T) {
	if q := qrOf(strings.Repeat("x", 5000)); q != (ui.QR{}) {
		t.Errorf("%d modules", q.Size)
	}
}

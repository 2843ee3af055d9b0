package web

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"

	"dowel/ui"
)

// qrOf draws a text as a QR code (ISO/IEC 18004) for a camera to read; nothing is drawn of a text that
// fits none. The picture is made here, so that no address of a person goes to anybody else.
func qrOf(text string) ui.QR {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return ui.QR{}
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			from := x
			for x < size && code.At(x, y) == color.Black {
				x++
			}
			if x > from {
				// The dark modules beside each other are one bar.
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	return ui.QR{Size: size, Path: path.String()}
}

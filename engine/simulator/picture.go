package simulator

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
)

// pictureAnswer is a small picture of nobody in particular.
func pictureAnswer() *answer {
	face := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.White, color.Black})
	for _, eye := range []image.Point{{X: 2, Y: 2}, {X: 5, Y: 2}, {X: 2, Y: 5}, {X: 3, Y: 6}, {X: 4, Y: 6}, {X: 5, Y: 5}} {
		face.SetColorIndex(eye.X, eye.Y, 1)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, face); err != nil {
		return plain(http.StatusInternalServerError, err.Error())
	}
	a := &answer{status: http.StatusOK, header: http.Header{}, body: b.Bytes()}
	return a.set("Content-Type", "image/png")
}

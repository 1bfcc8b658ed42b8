package main

import (
	"fmt"
	"image/color"
	"io"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// show tells the user what to do: by a QR code of the complete address, and in words for those who cannot scan it.
func show(w io.Writer, a *authorization) error {
	if a.Complete != "" {
		code, err := qr.Encode(a.Complete, qr.M, qr.Auto)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, blocks(code)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "Scan this, or open %s and enter the code %s\nGo on only if the page shows the same code.\n", a.URI, a.UserCode)
	return err
}

// margin is how wide the border must be, in modules (ISO/IEC 18004).
const margin = 4

// blocks draws a code with two modules to a character, light on dark as most terminals are.
func blocks(code barcode.Barcode) string {
	size := code.Bounds().Dx()
	light := func(x, y int) bool {
		if x < 0 || y < 0 || x >= size || y >= size {
			return true
		}
		r, _, _, _ := code.At(x, y).RGBA()
		white, _, _, _ := color.White.RGBA()
		return r == white
	}
	var b strings.Builder
	for y := -margin; y < size+margin; y += 2 {
		for x := -margin; x < size+margin; x++ {
			switch {
			case light(x, y) && light(x, y+1):
				b.WriteString("█")
			case light(x, y):
				b.WriteString("▀")
			case light(x, y+1):
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

package login

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
)

// rgb is a colour in sRGB, each part from 0 to 1.
type rgb [3]float64

// The colours of the pages that accents must stand out from; the style sheet has the same.
var (
	white      = rgb{1, 1, 1}
	black      = rgb{0, 0, 0}
	lightPaper = mustRGB("f5f4f1") // around the card, which is white
	darkCard   = mustRGB("1d2025")
	darkPaper  = mustRGB("131518")
)

// defaultAccent is that of tenants that chose none.
var defaultAccent = mustRGB("2b4a6f")

// accentOf is the accent colour of the settings, #rrggbb, or ours.
func accentOf(setting string) rgb {
	if digits, ok := strings.CutPrefix(setting, "#"); ok {
		if c, ok := parseRGB(strings.ToLower(digits)); ok {
			return c
		}
	}
	return defaultAccent
}

// parseRGB reads six hexadecimal digits, in lower case.
func parseRGB(s string) (rgb, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 3 || s != strings.ToLower(s) {
		return rgb{}, false
	}
	return rgb{float64(b[0]) / 255, float64(b[1]) / 255, float64(b[2]) / 255}, true
}

func mustRGB(s string) rgb {
	c, ok := parseRGB(s)
	if !ok {
		panic("login: no colour: " + s)
	}
	return c
}

func (c rgb) bytes() [3]uint8 {
	var b [3]uint8
	for i, v := range c {
		b[i] = uint8(math.Round(v * 255))
	}
	return b
}

func (c rgb) hex() string {
	b := c.bytes()
	return hex.EncodeToString(b[:])
}

// luminance is the relative luminance of WCAG 2.2.
func (c rgb) luminance() float64 {
	var linear rgb
	for i, v := range c {
		if v <= 0.04045 {
			linear[i] = v / 12.92
		} else {
			linear[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*linear[0] + 0.7152*linear[1] + 0.0722*linear[2]
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func (c rgb) contrast(o rgb) float64 {
	a, b := c.luminance(), o.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// hsl returns hue, saturation and lightness, each from 0 to 1.
func (c rgb) hsl() (h, s, l float64) {
	high, low := max(c[0], c[1], c[2]), min(c[0], c[1], c[2])
	l = (high + low) / 2
	d := high - low
	if d == 0 {
		return 0, 0, l
	}
	s = d / (1 - math.Abs(2*l-1))
	switch high {
	case c[0]:
		h = math.Mod((c[1]-c[2])/d+6, 6)
	case c[1]:
		h = (c[2]-c[0])/d + 2
	default:
		h = (c[0]-c[1])/d + 4
	}
	return h / 6, s, l
}

// lit is c with another lightness, from 0, black, to 1, white.
func (c rgb) lit(l float64) rgb {
	h, s, _ := c.hsl()
	chroma := s * min(l, 1-l)
	for i, offset := range [3]float64{0, 8, 4} {
		k := math.Mod(offset+12*h, 12)
		c[i] = l - chroma*max(-1, min(k-3, 9-k, 1))
	}
	return c
}

// step is how finely lightness is searched.
const step = 0.01

// until makes c darker, or lighter where by is positive, until its contrast to every ground reaches ratio.
func (c rgb) until(ratio, by float64, grounds ...rgb) rgb {
	_, _, l := c.hsl()
	for ; ; l += by {
		x := mustRGB(c.lit(max(0, min(l, 1))).hex()) // as it will be shown
		end := by < 0 && l <= 0 || by > 0 && l >= 1
		if end || !slices.ContainsFunc(grounds, func(g rgb) bool { return x.contrast(g) < ratio }) {
			return x
		}
	}
}

// textContrast and outlineContrast are the contrasts that WCAG 2.2 AA demands of text and of the outline of a control; a little is added
// for what lies over a tint.
const (
	textContrast    = 4.8
	outlineContrast = 3.0
)

// shades are the colours that a scheme makes of an accent.
type shades struct {
	fill, hover, on rgb // of the main button, and its label
	ink             rgb // links, focus and outlines
}

func (c rgb) light() shades {
	return shades{fill: c, ink: c.until(textContrast, -step, white, lightPaper)}.labelled()
}

func (c rgb) dark() shades {
	return shades{fill: c.until(outlineContrast, step, darkCard), ink: c.until(textContrast, step, darkCard, darkPaper)}.labelled()
}

// labelled adds the button's label, white where that can be read, else black; under the pointer the button moves away
// from it.
func (s shades) labelled() shades {
	_, _, l := s.fill.hsl()
	if s.fill.contrast(white) >= 4.5 {
		s.on, s.hover = white, s.fill.lit(l*0.86)
	} else {
		s.on, s.hover = black, s.fill.lit(l+(1-l)*0.3)
	}
	return s
}

// style is the part of the style sheet that depends on the accent.
func (c rgb) style() string {
	return c.light().style(":root") + "@media (prefers-color-scheme:dark){" + c.dark().style(":root") + "}\n"
}

func (s shades) style(selector string) string {
	b := s.ink.bytes()
	return fmt.Sprintf("%s{--fill:#%s;--hover:#%s;--on:#%s;--ink:#%s;--tint:rgb(%d %d %d/.09);--thread:rgb(%d %d %d/.11)}\n",
		selector, s.fill.hex(), s.hover.hex(), s.on.hex(), s.ink.hex(), b[0], b[1], b[2], b[0], b[1], b[2])
}

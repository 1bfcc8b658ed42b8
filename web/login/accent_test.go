package login

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestAccentsCanBeRead(t *testing.T) {
	for _, r := range []string{"00", "2b", "55", "80", "aa", "d0", "ff"} {
		for _, g := range []string{"00", "33", "66", "99", "cc", "ff"} {
			for _, b := range []string{"00", "40", "80", "bf", "ff"} {
				c := mustRGB(r + g + b)
				for scheme, s := range map[string]shades{"light": c.light(), "dark": c.dark()} {
					card, paper := white, lightPaper
					if scheme == "dark" {
						card, paper = darkCard, darkPaper
					}
					as := func(c rgb) rgb { return mustRGB(c.hex()) }
					for what, got := range map[string]float64{"the button's label": as(s.fill).contrast(s.on) / 4.5, "under the pointer": as(s.hover).contrast(s.on) / 4.5,
						"a link on the card": as(s.ink).contrast(card) / 4.5, "a link beside it": as(s.ink).contrast(paper) / 4.5, "the outline": as(s.ink).contrast(card) / 3} {
						if got < 1 {
							t.Errorf("%s, %s: %s has a contrast of %.2f of what it needs", c.hex(), scheme, what, got)
						}
					}
				}
			}
		}
	}
}

func TestColoursOfTheStyleSheetCanBeRead(t *testing.T) {
	schemes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(commonStyle, -1)
	if len(schemes) < 2 {
		t.Fatal("the style sheet has no two schemes")
	}
	for i, grounds := range [][2]rgb{{lightPaper, white}, {darkPaper, darkCard}} {
		colour := map[string]rgb{}
		for _, m := range regexp.MustCompile(`--([\w-]+): #([0-9a-f]+);`).FindAllStringSubmatch(schemes[i][1], -1) {
			if len(m[2]) == 3 {
				m[2] = fmt.Sprintf("%[1]c%[1]c%[2]c%[2]c%[3]c%[3]c", m[2][0], m[2][1], m[2][2])
			}
			colour[m[1]] = mustRGB(m[2])
		}
		if colour["paper"] != grounds[0] || colour["card"] != grounds[1] {
			t.Errorf("scheme %d: paper and card are not those of accent.go", i)
		}
		for _, tt := range []struct {
			of, on string
			ratio  float64
		}{
			{"text", "paper", 4.5}, {"text", "card", 4.5}, {"text", "field", 4.5}, {"muted", "card", 4.5}, {"muted", "paper", 4.5},
			{"error", "error-tint", 4.5}, {"error", "card", 3}, {"warning", "warning-tint", 4.5}, {"edge", "card", 3}, {"edge", "field", 3},
		} {
			if got := colour[tt.of].contrast(colour[tt.on]); got < tt.ratio {
				t.Errorf("scheme %d: %s on %s has a contrast of %.2f", i, tt.of, tt.on, got)
			}
		}
	}
}

func TestAccentOf(t *testing.T) {
	for setting, want := range map[string]string{"#ff8800": "ff8800", "#FF8800": "ff8800", "": defaultAccent.hex(), "red": defaultAccent.hex(), "#fff": defaultAccent.hex(),
		"#ff8800}body{display:none": defaultAccent.hex(), "ff8800": defaultAccent.hex()} {
		if got := accentOf(setting).hex(); got != want {
			t.Errorf("%q: got %s, want %s", setting, got, want)
		}
	}
	for _, c := range []string{"000000", "ffffff", "2b4a6f", "ff0000", "00ff7f", "7f7f7f", "0000ff", "ff00ff"} {
		x := mustRGB(c)
		_, _, l := x.hsl()
		if got := x.lit(l).hex(); got != c {
			t.Errorf("%s with its own lightness is %s", c, got)
		}
	}
	if s := styleSheet(mustRGB("ff8800")); !strings.Contains(s, "--fill:#ff8800") || !strings.Contains(s, "prefers-color-scheme:dark") {
		t.Error("the style sheet lacks the accent in both schemes")
	}
}

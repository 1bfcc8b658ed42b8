package properties

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		rule, text string
		want       []Line
	}{
		{"nothing", "", nil},
		{"an equals sign", "a=b", []Line{{First: 1, Last: 1, Name: "a", Value: "b"}}},
		{"a colon with space around", "  a : b ", []Line{{First: 1, Last: 1, Name: "a", Value: "b "}}},
		{"space alone", "a \t b", []Line{{First: 1, Last: 1, Name: "a", Value: "b"}}},
		{"only the first separator separates", "a==b", []Line{{First: 1, Last: 1, Name: "a", Value: "=b"}}},
		{"an escaped separator does not", `a\=b\:c\ d = e`, []Line{{First: 1, Last: 1, Name: "a=b:c d", Value: "e"}}},
		{"no value", "a\nb=", []Line{{First: 1, Last: 1, Name: "a"}, {First: 2, Last: 2, Name: "b"}}},
		{"no name", "=b", []Line{{First: 1, Last: 1, Value: "b"}}},
		{"comments and blank lines are lines too", "# x = y\n\n \t! z \\\na=b\n", []Line{{First: 1, Last: 1, Kind: Comment}, {First: 2, Last: 2, Kind: Blank},
			{First: 3, Last: 3, Kind: Comment}, {First: 4, Last: 4, Name: "a", Value: "b"}}},
		{"a line goes on", "a = b, \\\n   c, \\\r\n\td\ne=f", []Line{{First: 1, Last: 3, Name: "a", Value: "b, c, d"}, {First: 4, Last: 4, Name: "e", Value: "f"}}},
		{"a name too", "op.\\\n  issuer=x", []Line{{First: 1, Last: 2, Name: "op.issuer", Value: "x"}}},
		{"what goes on is no comment", "a=b\\\n#c", []Line{{First: 1, Last: 2, Name: "a", Value: "b#c"}}},
		{"two backslashes are one, and the line ends", "a=b\\\\\nc=d", []Line{{First: 1, Last: 1, Name: "a", Value: `b\`}, {First: 2, Last: 2, Name: "c", Value: "d"}}},
		{"the file ends where a line should go on", "a=b\\", []Line{{First: 1, Last: 1, Name: "a", Value: "b"}}},
		{"nothing goes on", "\\\n\\\n", []Line{{First: 1, Last: 2, Kind: Blank}}},
		{"every end of line", "a=1\rb=2\r\nc=3\n", []Line{{First: 1, Last: 1, Name: "a", Value: "1"}, {First: 2, Last: 2, Name: "b", Value: "2"}, {First: 3, Last: 3, Name: "c", Value: "3"}}},
		{"escapes", `a=\t\n\r\f\q\"\u00e9\uD83D\uDE00`, []Line{{First: 1, Last: 1, Name: "a", Value: "\t\n\r\fq\"é😀"}}},
		{"half a pair is no character", `a=\uD83Dx`, []Line{{First: 1, Last: 1, Name: "a", Value: "\ufffdx"}}},
		{"an escape that is cut off", `a=\u12`, []Line{{First: 1, Last: 1, Name: "a", Value: "12", Wrong: `has a \u that is not followed by four hexadecimal digits`}}},
		{"an escape that is no number", `a=\u+12f`, []Line{{First: 1, Last: 1, Name: "a", Value: "+12f", Wrong: `has a \u that is not followed by four hexadecimal digits`}}},
		{"UTF-8, with its mark", "\ufeffa=é", []Line{{First: 1, Last: 1, Name: "a", Value: "é"}}},
		{"ISO-8859-1", "a=\xe9", []Line{{First: 1, Last: 1, Name: "a", Value: "é"}}},
	} {
		if diff := cmp.Diff(tt.want, Parse([]byte(tt.text))); diff != "" {
			t.Errorf("%s: %s", tt.rule, diff)
		}
	}
}

// No line of a file is lost, and what a file says can be written so that it says it again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a=b\n", "# c\n\na : b \\\n  c\r\rd", `a\=\u00e9=\uD83D\uDE00\`, "\\", "\xff=\xfe\\\n\\u12"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := Parse(text)
		next := 1
		var again strings.Builder
		for _, l := range lines {
			if l.First != next || l.Last < l.First {
				t.Fatalf("line %d comes where %d is due", l.First, next)
			}
			next = l.Last + 1
			if l.Kind == Property && l.Wrong == "" {
				fmt.Fprintf(&again, "%s=%s\n", escaped(l.Name), escaped(l.Value))
			}
		}
		i := 0
		for _, l := range Parse([]byte(again.String())) {
			for lines[i].Kind != Property || lines[i].Wrong != "" {
				i++
			}
			if l.Name != lines[i].Name || l.Value != lines[i].Value {
				t.Fatalf("%q=%q became %q=%q", lines[i].Name, lines[i].Value, l.Name, l.Value)
			}
			i++
		}
	})
}

// escaped writes s in a way that nothing in it means anything else.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 0x10000:
			b.WriteString(string(r))
		case r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 0x7f && r != '\ufeff':
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	return b.String()
}

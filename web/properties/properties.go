// Package properties reads files of properties as java.util.Properties does.
package properties

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is what stands on a line.
type Kind int

// The kinds.
const (
	Property Kind = iota
	Comment
	Blank
)

// Line is a line of a file with those that continue it.
type Line struct {
	First, Last int // numbers of the lines in the file, from one on
	Kind        Kind
	Name, Value string // of a property
	Wrong       string // why the property cannot be read; empty: it can
}

// Parse returns all lines of a file, in their order: none is left out.
func Parse(file []byte) []Line {
	natural := split(Text(file))
	var out []Line
	for i := 0; i < len(natural); i++ {
		l := Line{First: i + 1, Last: i + 1}
		logical := strings.TrimLeft(natural[i], white)
		if logical != "" && (logical[0] == '#' || logical[0] == '!') {
			l.Kind = Comment
			out = append(out, l)
			continue
		}
		var whole strings.Builder
		for part := logical; ; part = strings.TrimLeft(natural[i], white) {
			l.Last = i + 1
			if !continued(part) {
				whole.WriteString(part)
				break
			}
			whole.WriteString(part[:len(part)-1])
			if i+1 == len(natural) {
				break
			}
			i++
		}
		logical = whole.String()
		if logical == "" {
			l.Kind = Blank
		} else {
			l.read(logical)
		}
		out = append(out, l)
	}
	return out
}

// white are the characters that are space within a line.
const white = " \t\f"

// Text is what a file says: UTF-8, or ISO-8859-1 where it is not that.
func Text(file []byte) string {
	s := strings.TrimPrefix(string(file), "\ufeff")
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// split returns the lines of s without what ends them.
func split(s string) (lines []string) {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// continued reports whether a line goes on on the next: it ends with a backslash that no other escapes.
func continued(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// read takes name and value from a line.
func (l *Line) read(line string) {
	end := len(line)
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
		} else if strings.IndexByte("=:"+white, line[i]) >= 0 {
			end = i
			break
		}
	}
	rest := strings.TrimLeft(line[end:], white)
	if rest != "" && (rest[0] == '=' || rest[0] == ':') {
		rest = strings.TrimLeft(rest[1:], white)
	}
	var ok, fine bool
	l.Name, ok = unescaped(line[:end])
	l.Value, fine = unescaped(rest)
	if !ok || !fine {
		l.Wrong = `has a \u that is not followed by four hexadecimal digits`
	}
}

// escapes are the characters that stand for others behind a backslash. Any other stands for itself.
var escapes = map[byte]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f'}

// unescaped is s without escapes. ok is false where one is malformed.
func unescaped(s string) (plain string, ok bool) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, true
	}
	ok = true
	var b strings.Builder
	var units []uint16 // that escapes of UTF-16 have named one after the other
	flush := func() {
		b.WriteString(string(utf16.Decode(units)))
		units = units[:0]
	}
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == 'u' {
			unit, err := strconv.ParseUint(s[i+2:min(i+6, len(s))], 16, 16)
			if err != nil || i+6 > len(s) {
				ok = false
				i++
				continue
			}
			units = append(units, uint16(unit))
			i += 5
			continue
		}
		flush()
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if r, known := escapes[s[i]]; known {
				b.WriteRune(r)
				continue
			}
		}
		b.WriteByte(s[i])
	}
	flush()
	return b.String(), ok
}

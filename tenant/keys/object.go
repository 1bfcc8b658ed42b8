package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"unicode/utf8"
)

var (
	errNotObject = errors.New("not a JSON object")
	errDuplicate = errors.New("a JSON object with a member twice")
)

// names returns the member names of doc, unescaped and sorted. doc is one JSON object in UTF-8 and nothing else. A
// name that occurs twice, however it is escaped, is an error, as RFC 7515 §4 and RFC 7519 §4
// permit. Objects inside are not looked into.
func names(doc []byte) ([][]byte, error) {
	if !utf8.Valid(doc) || !json.Valid(doc) {
		return nil, errNotObject
	}
	// From here doc is known to be well-formed, and each step only finds where the next thing begins.
	rest := skipSpace(doc)
	if rest[0] != '{' {
		return nil, errNotObject
	}
	out := make([][]byte, 0, 16)
	for rest = skipSpace(rest[1:]); rest[0] != '}'; {
		literal := rest[:stringEnd(rest)]
		name, err := unescape(literal)
		if err != nil {
			return nil, err
		}
		out = append(out, name)
		rest = skipSpace(rest[len(literal):])[1:] // behind the colon
		rest = rest[valueEnd(rest):]
		if rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
	}
	slices.SortFunc(out, bytes.Compare)
	for i := 1; i < len(out); i++ {
		if bytes.Equal(out[i-1], out[i]) {
			return nil, errDuplicate
		}
	}
	return out, nil
}

// skipSpace cuts what RFC 8259 §2 calls whitespace.
func skipSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// stringEnd returns the length of the string literal that b begins with.
func stringEnd(b []byte) int {
	for i := 1; ; i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// valueEnd returns where the comma or brace stands that follows the value that b begins with.
func valueEnd(b []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch c := b[i]; {
		case c == '"':
			i += stringEnd(b[i:]) - 1
		case depth == 0 && (c == ',' || c == '}'):
			return i
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
	}
}

// unescape returns what a string literal means.
func unescape(literal []byte) ([]byte, error) {
	if bytes.IndexByte(literal, '\\') < 0 {
		return literal[1 : len(literal)-1], nil
	}
	var s string
	if err := json.Unmarshal(literal, &s); err != nil {
		return nil, errNotObject
	}
	return []byte(s), nil
}

package wire

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/chancery-id/chancery/flows/oauth"
)

// document checks a JSON text (RFC 8259) against the type it will be decoded into. It blanks the names of
// members that encoding/json shall not see: those that differ from a field's name in case only, and those
// whose value is null.
type document struct {
	text   []byte
	at     int
	depth  int
	strict bool
}

// Closed is embedded in a struct that no unknown member may stand in, wherever in a body it is: a mistyped restriction
// would be none.
type Closed struct{}

func (d *document) document(t reflect.Type) error {
	if err := d.value(t); err != nil {
		return err
	}
	if d.space(); d.at < len(d.text) {
		return d.wrong("Unexpected text after the JSON value")
	}
	return nil
}

// wrong is an error at the current offset.
func (d *document) wrong(what string) error {
	return oauth.InvalidRequest(what + " at offset " + strconv.Itoa(d.at))
}

func (d *document) space() {
	for d.at < len(d.text) {
		switch d.text[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// next skips space and returns the byte there, or 0 at the end.
func (d *document) next() byte {
	if d.space(); d.at < len(d.text) {
		return d.text[d.at]
	}
	return 0
}

func (d *document) value(t reflect.Type) error {
	t = plain(t)
	switch c := d.next(); {
	case c == '{':
		return d.nested(func() error { return d.object(t) })
	case c == '[':
		return d.nested(func() error { return d.array(t) })
	case c == '"':
		_, err := d.string()
		return err
	case c == '-', '0' <= c && c <= '9':
		return d.number()
	case c == 't':
		return d.word("true")
	case c == 'f':
		return d.word("false")
	case c == 'n':
		return d.word("null")
	}
	return d.wrong("Invalid JSON")
}

func (d *document) nested(inside func() error) error {
	if d.depth++; d.depth > MaxDepth {
		return d.wrong("The JSON nests too deep")
	}
	d.at++
	err := inside()
	d.depth--
	return err
}

func (d *document) object(t reflect.Type) error {
	if d.next() == '}' {
		d.at++
		return nil
	}
	known, closed := fields(t)
	seen := map[string]bool{}
	for {
		if d.next() != '"' {
			return d.wrong("Invalid JSON")
		}
		start := d.at
		name, err := d.string()
		if err != nil {
			return err
		}
		end := d.at
		if seen[name] {
			d.at = start
			return d.wrong("A JSON member is repeated")
		}
		seen[name] = true
		member, exact := known[name]
		if closed && !exact && (d.strict || marked(t)) {
			d.at = start
			return d.wrong("Unknown JSON member")
		}
		if !closed {
			member = elem(t)
		}
		if d.next() != ':' {
			return d.wrong("Invalid JSON")
		}
		d.at++
		null := d.next() == 'n'
		if err := d.value(member); err != nil {
			return err
		}
		if closed && (null || !exact && folds(known, name)) {
			for i := start + 1; i < end-1; i++ {
				d.text[i] = '~'
			}
		}
		switch d.next() {
		case ',':
			d.at++
		case '}':
			d.at++
			return nil
		default:
			return d.wrong("Invalid JSON")
		}
	}
}

func (d *document) array(t reflect.Type) error {
	if d.next() == ']' {
		d.at++
		return nil
	}
	for {
		if err := d.value(elem(t)); err != nil {
			return err
		}
		switch d.next() {
		case ',':
			d.at++
		case ']':
			d.at++
			return nil
		default:
			return d.wrong("Invalid JSON")
		}
	}
}

// string returns the decoded string at the current offset, which is at its opening quote.
func (d *document) string() (string, error) {
	start, escaped := d.at, false
	for d.at++; d.at < len(d.text); d.at++ {
		switch c := d.text[d.at]; {
		case c == '"':
			d.at++
			raw := d.text[start:d.at]
			if !escaped {
				return string(raw[1 : len(raw)-1]), nil
			}
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				d.at = start
				return "", d.wrong("Invalid JSON string")
			}
			if strings.IndexByte(s, 0) >= 0 {
				d.at = start
				return "", d.wrong("A JSON string holds a zero character")
			}
			return s, nil
		case c == '\\':
			escaped = true
			d.at++
		case c < 0x20:
			return "", d.wrong("Invalid JSON string")
		}
	}
	d.at = len(d.text)
	return "", d.wrong("Invalid JSON string")
}

func (d *document) number() error {
	if d.text[d.at] == '-' {
		d.at++
	}
	switch {
	case d.at < len(d.text) && d.text[d.at] == '0':
		d.at++
	case !d.digits():
		return d.wrong("Invalid JSON number")
	}
	if d.at < len(d.text) && d.text[d.at] == '.' {
		if d.at++; !d.digits() {
			return d.wrong("Invalid JSON number")
		}
	}
	if d.at < len(d.text) && d.text[d.at]|0x20 == 'e' {
		if d.at++; d.at < len(d.text) && (d.text[d.at] == '+' || d.text[d.at] == '-') {
			d.at++
		}
		if !d.digits() {
			return d.wrong("Invalid JSON number")
		}
	}
	return nil
}

func (d *document) digits() bool {
	start := d.at
	for d.at < len(d.text) && '0' <= d.text[d.at] && d.text[d.at] <= '9' {
		d.at++
	}
	return d.at > start
}

func (d *document) word(w string) error {
	if !strings.HasPrefix(string(d.text[d.at:min(len(d.text), d.at+len(w))]), w) {
		return d.wrong("Invalid JSON")
	}
	d.at += len(w)
	return nil
}

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// plain returns what t points to; nil where t decides itself how it is decoded, or is of any type.
func plain(t reflect.Type) reflect.Type {
	for t != nil {
		if t.Implements(unmarshaler) || reflect.PointerTo(t).Implements(unmarshaler) ||
			reflect.PointerTo(t).Implements(textUnmarshaler) || t.Kind() == reflect.Interface {
			return nil
		}
		if t.Kind() != reflect.Pointer {
			return t
		}
		t = t.Elem()
	}
	return nil
}

// elem returns the type of the elements of t, a map, slice or array; else nil.
func elem(t reflect.Type) reflect.Type {
	if t == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Map, reflect.Slice, reflect.Array:
		return t.Elem()
	}
	return nil
}

// fieldsOf caches, by struct type, its fields by their names in JSON.
var fieldsOf sync.Map

// fields returns the fields of t by their names in JSON. closed is false where t is no struct.
func fields(t reflect.Type) (known map[string]reflect.Type, closed bool) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, false
	}
	if m, ok := fieldsOf.Load(t); ok {
		return m.(map[string]reflect.Type), true
	}
	known = map[string]reflect.Type{}
	collect(t, known)
	fieldsOf.Store(t, known)
	return known, true
}

// marked reports whether t, a struct, embeds Closed.
func marked(t reflect.Type) bool {
	f, ok := t.FieldByName("Closed")
	return ok && f.Anonymous && f.Type == reflect.TypeFor[Closed]()
}

func collect(t reflect.Type, known map[string]reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		embedded := f.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case tag == "-":
		case f.Anonymous && name == "" && embedded.Kind() == reflect.Struct:
			collect(embedded, known)
		case !f.IsExported():
		case name == "":
			known[f.Name] = f.Type
		default:
			known[name] = f.Type
		}
	}
}

// folds reports whether name is a known one but for its case.
func folds(known map[string]reflect.Type, name string) bool {
	for k := range known {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

package tenant

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxSettings is the largest settings document, in bytes of JSON.
const MaxSettings = 512 << 10

// ParseSettings reads a settings document as an administrator sends it. It refuses what encoding/json lets
// pass: unknown and repeated members, names in another case, and anything after the document. The error is a
// FieldError. Whether the values make sense, Check tells.
func ParseSettings(b []byte) (Settings, error) {
	switch {
	case len(b) > MaxSettings:
		return Settings{}, FieldError{"", "is too large"}
	case !utf8.Valid(b):
		return Settings{}, FieldError{"", "is not UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := exact(d, reflect.TypeFor[Settings](), ""); err != nil {
		return Settings{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return Settings{}, FieldError{"", "is followed by something else"}
	}
	var s Settings
	err := json.Unmarshal(b, &s)
	if typ, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return Settings{}, FieldError{"/" + strings.ReplaceAll(typ.Field, ".", "/"), "has the wrong type"}
	}
	if err != nil {
		return Settings{}, FieldError{"", "is no JSON object"}
	}
	return s, nil
}

var errJSON = FieldError{"", "is no JSON object"}

// exact reads one value and checks that its members are those of t, each once.
func exact(d *json.Decoder, t reflect.Type, pointer string) error {
	first, err := d.Token()
	if err != nil {
		return errJSON
	}
	if t.Kind() == reflect.Struct && first != json.Delim('{') {
		if pointer != "" && first == nil {
			return nil // null leaves the default
		}
		return FieldError{pointer, "must be an object"}
	}
	switch first {
	case json.Delim('{'):
		if t.Kind() != reflect.Struct && t.Kind() != reflect.Map && t != verbatim {
			return FieldError{pointer, "has the wrong type"}
		}
		seen := map[string]bool{}
		for d.More() {
			at, err := d.Token()
			name, ok := at.(string)
			if err != nil || !ok {
				return errJSON
			}
			below := pointer + "/" + escape.Replace(name)
			member, known := memberOf(t, name)
			switch {
			case seen[name]:
				return FieldError{below, "is repeated"}
			case !known:
				return FieldError{below, "is unknown"}
			}
			seen[name] = true
			if err := exact(d, member, below); err != nil {
				return err
			}
		}
	case json.Delim('['):
		if t.Kind() != reflect.Slice {
			return FieldError{pointer, "has the wrong type"}
		}
		of := t.Elem()
		if t == verbatim {
			of = verbatim
		}
		for i := 0; d.More(); i++ {
			if err := exact(d, of, pointer+"/"+strconv.Itoa(i)); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	if _, err := d.Token(); err != nil {
		return errJSON
	}
	return nil
}

// verbatim is the type of what is kept as it is written, such as a key set.
var verbatim = reflect.TypeFor[json.RawMessage]()

// memberOf returns the type of the member of that name of t, a struct, a map or a verbatim document.
func memberOf(t reflect.Type, name string) (reflect.Type, bool) {
	if t == verbatim {
		return verbatim, true
	}
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag == name {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

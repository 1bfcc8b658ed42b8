package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// maxDepth is how deep JSON within a parameter may nest.
const maxDepth = 16

// Object reads a JSON object that somebody else wrote. Its members, and those of the objects inside it, are each named once,
// and it does not nest deep; anything else is an error.
func Object(raw []byte) (map[string]json.RawMessage, error) { return object(raw) }

// object reads a JSON object whose members, at every level, are each named once.
func object(raw []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := walk(d, 0); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("oauth: something follows the JSON value")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, errors.New("oauth: null is no JSON object")
	}
	return members, nil
}

// walk reads one JSON value and refuses repeated names and deep nesting.
func walk(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') && t != json.Delim('[') {
		return nil
	}
	if depth == maxDepth {
		return errors.New("oauth: JSON nests too deep")
	}
	names := map[string]bool{}
	for d.More() {
		if t == json.Delim('{') {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if n, _ := name.(string); names[n] {
				return errors.New("oauth: JSON names a member twice")
			} else {
				names[n] = true
			}
		}
		if err := walk(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing delimiter
	return err
}

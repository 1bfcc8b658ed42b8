package authlete

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// operation is one of a JSON patch (RFC 6902 §4).
type operation struct {
	Op    string          `json:"op"`
	Path  *string         `json:"path"`
	From  *string         `json:"from"`
	Value json.RawMessage `json:"value"`
}

// Bounds of a patch: its operations, and the bytes that they copy and move, as each copy of the whole doubles a document.
const (
	maxOperations = 1000
	maxCopied     = 1 << 20
)

var errPatch = errors.New("it does not fit the document")

// patched applies a JSON patch to a document; one that cannot be applied as a whole is invalid_request.
func patched(doc []byte, patch string) ([]byte, error) {
	var ops []operation
	if err := json.Unmarshal([]byte(patch), &ops); err != nil || len(ops) > maxOperations {
		return nil, oauth.InvalidRequest("patch is not a JSON patch").Because(err)
	}
	root, err := decoded(doc)
	copied := 0
	for _, op := range ops {
		if err == nil {
			root, err = op.on(root, &copied)
		}
	}
	if err != nil {
		return nil, oauth.InvalidRequest("patch cannot be applied").Because(err)
	}
	return json.Marshal(root)
}

func decoded(b []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// on applies the operation to a document and returns it. What it copies is added to copied.
func (op *operation) on(root any, copied *int) (any, error) {
	if op.Path == nil {
		return nil, errPatch
	}
	path, err := pointer(*op.Path)
	if err != nil {
		return nil, err
	}
	var value any
	switch op.Op {
	case "add", "replace", "test":
		if len(op.Value) == 0 {
			return nil, errPatch
		}
		if value, err = decoded(op.Value); err != nil {
			return nil, err
		}
	case "move", "copy":
		if op.From == nil {
			return nil, errPatch
		}
		from, err := pointer(*op.From)
		if err != nil || op.Op == "move" && len(from) < len(path) && slices.Equal(from, path[:len(from)]) {
			return nil, errPatch
		}
		if value, err = at(root, from); err != nil {
			return nil, err
		}
		if op.Op == "move" {
			if root, err = change(root, from, remove, nil); err != nil {
				return nil, err
			}
		}
		b, err := json.Marshal(value) // a copy of its own
		if err != nil {
			return nil, err
		}
		if *copied += len(b); *copied > maxCopied {
			return nil, errPatch
		}
		if value, err = decoded(b); err != nil {
			return nil, err
		}
	}
	switch op.Op {
	case "add", "move", "copy":
		return change(root, path, add, value)
	case "replace":
		return change(root, path, replace, value)
	case "remove":
		return change(root, path, remove, nil)
	case "test":
		if there, err := at(root, path); err != nil || !reflect.DeepEqual(there, value) {
			return nil, errPatch
		}
		return root, nil
	}
	return nil, errPatch
}

// pointer splits a JSON pointer (RFC 6901 §3).
func pointer(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, errPatch
	}
	names := strings.Split(s[1:], "/")
	for i, n := range names {
		names[i] = strings.ReplaceAll(strings.ReplaceAll(n, "~1", "/"), "~0", "~")
	}
	return names, nil
}

// at returns the value that path leads to.
func at(v any, path []string) (any, error) {
	for _, name := range path {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[name]
			if !ok {
				return nil, errPatch
			}
			v = next
		case []any:
			i, err := position(name, len(in)-1)
			if err != nil {
				return nil, err
			}
			v = in[i]
		default:
			return nil, errPatch
		}
	}
	return v, nil
}

// position reads an index of at most last.
func position(name string, last int) (int, error) {
	i, err := strconv.Atoi(name)
	if err != nil || i < 0 || i > last || strconv.Itoa(i) != name {
		return 0, errPatch
	}
	return i, nil
}

// The changes.
const (
	add = iota
	replace
	remove
)

// change changes what path leads to, and returns v as it is then.
func change(v any, path []string, how int, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	name, rest := path[0], path[1:]
	switch in := v.(type) {
	case map[string]any:
		_, there := in[name]
		if !there && (how != add || len(rest) > 0) {
			return nil, errPatch
		}
		if len(rest) == 0 && how == remove {
			delete(in, name)
			return in, nil
		}
		next, err := change(in[name], rest, how, value)
		in[name] = next
		return in, err
	case []any:
		last := len(in) - 1
		if len(rest) == 0 && how == add {
			last++
			if name == "-" {
				name = strconv.Itoa(last)
			}
		}
		i, err := position(name, last)
		switch {
		case err != nil:
			return nil, err
		case len(rest) == 0 && how == add:
			return slices.Insert(in, i, value), nil
		case len(rest) == 0 && how == remove:
			return slices.Delete(in, i, i+1), nil
		}
		in[i], err = change(in[i], rest, how, value)
		return in, err
	}
	return nil, errPatch
}

// finished is a JSON document that is written as it is.
type finished []byte

// spaced writes a document, with spaces and line ends where it is to be pretty.
func spaced(doc []byte, pretty bool) finished {
	var b bytes.Buffer
	if !pretty || json.Indent(&b, doc, "", "  ") != nil {
		return doc
	}
	return b.Bytes()
}

package oauth

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// Details are authorization details (RFC 9396 §2): objects that each have a type, without white space.
type Details []json.RawMessage

// Longest authorization details accepted.
const (
	MaxDetails   = 4096 // bytes, as they go into tokens
	maxDetails   = 16   // objects
	maxType      = 255  // bytes
	maxDetailRaw = 4 * MaxDetails
)

// InvalidAuthorizationDetails: they are malformed, of an unknown type, or more than may be granted (RFC 9396 §5).
func InvalidAuthorizationDetails(d string) *Error {
	return &Error{Code: "invalid_authorization_details", Description: d}
}

// commonLists are the members of any type that are arrays of strings (RFC 9396 §2.2).
var commonLists = []string{"locations", "actions", "datatypes", "privileges"}

// ParseDetails reads an authorization_details parameter. What is not an array of JSON objects with a type, names a member
// twice, has a common member of another form than RFC 9396 §2.2 says, or is too long is invalid_authorization_details.
func ParseDetails(s string) (Details, error) {
	malformed := InvalidAuthorizationDetails("authorization_details is not a JSON array of objects that each have a type")
	if len(s) > maxDetailRaw {
		return nil, InvalidAuthorizationDetails("authorization_details is too long")
	}
	var elements []json.RawMessage
	if err := json.Unmarshal([]byte(s), &elements); err != nil || elements == nil {
		return nil, malformed.Because(err)
	}
	if len(elements) > maxDetails {
		return nil, InvalidAuthorizationDetails("authorization_details has too many elements")
	}
	var d Details
	size := 0
	for _, raw := range elements {
		m, err := object(raw)
		if err != nil {
			return nil, malformed.Because(err)
		}
		if err := common(m); err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := json.Compact(&b, raw); err != nil {
			return nil, malformed.Because(err)
		}
		size += b.Len() + 1
		d = append(d, b.Bytes())
	}
	if size > MaxDetails {
		return nil, InvalidAuthorizationDetails("authorization_details is too long")
	}
	return d, nil
}

// common checks the members that mean the same in every type (RFC 9396 §2.1, §2.2).
func common(m map[string]json.RawMessage) error {
	if v, ok := text(m["type"]); !ok || v == "" || len(v) > maxType {
		return InvalidAuthorizationDetails("an element of authorization_details has no type")
	}
	for _, name := range commonLists {
		if raw, there := m[name]; there {
			if _, ok := list(raw); !ok {
				return InvalidAuthorizationDetails(name + " in authorization_details is not an array of strings")
			}
		}
	}
	if raw, there := m["identifier"]; there {
		if _, ok := text(raw); !ok {
			return InvalidAuthorizationDetails("identifier in authorization_details is not a string")
		}
	}
	return nil
}

// text reads a JSON string.
func text(raw json.RawMessage) (string, bool) {
	var v *string
	if json.Unmarshal(raw, &v) != nil || v == nil {
		return "", false
	}
	return *v, true
}

// list reads a JSON array of strings.
func list(raw json.RawMessage) ([]string, bool) {
	var vs []*string
	if json.Unmarshal(raw, &vs) != nil || vs == nil {
		return nil, false
	}
	out := make([]string, len(vs))
	for i, v := range vs {
		if v == nil {
			return nil, false
		}
		out[i] = *v
	}
	return out, true
}

// Detail is one element of authorization details, taken apart.
type Detail struct {
	Type    string
	Members map[string]json.RawMessage // beside type
}

// Elements takes d apart.
func (d Details) Elements() []Detail {
	out := make([]Detail, len(d))
	for i, raw := range d {
		m, _ := object(raw) // it was one when it was read
		out[i].Type, _ = text(m["type"])
		delete(m, "type")
		out[i].Members = m
	}
	return out
}

// Names lists the names of the members beside type, sorted.
func (d *Detail) Names() []string { return slices.Sorted(maps.Keys(d.Members)) }

// Within reports whether d asks for nothing beyond o: each element narrows one of o (RFC 9396 §6.1).
func (d Details) Within(o Details) bool {
	granted := o.Elements()
	for _, asked := range d.Elements() {
		if !slices.ContainsFunc(granted, func(g Detail) bool { return asked.narrows(&g) }) {
			return false
		}
	}
	return true
}

// narrows reports whether d is g, or g with less in the common arrays. What the members of a type mean only that type says,
// so that they must be the same, and one that is left out could mean more.
func (d *Detail) narrows(g *Detail) bool {
	if d.Type != g.Type || !slices.Equal(d.Names(), g.Names()) {
		return false
	}
	for name, raw := range d.Members {
		if slices.Contains(commonLists, name) {
			less, ok := list(raw)
			all, ok2 := list(g.Members[name])
			if !ok || !ok2 || len(less) == 0 && len(all) > 0 || slices.ContainsFunc(less, func(v string) bool { return !slices.Contains(all, v) }) {
				return false
			}
		} else if !sameJSON(raw, g.Members[name]) {
			return false
		}
	}
	return true
}

// sameJSON reports whether two JSON values are equal but for the order of their members.
func sameJSON(a, b json.RawMessage) bool {
	canonical := func(raw json.RawMessage) []byte {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return nil
		}
		out, _ := json.Marshal(v) // cannot fail: it was just decoded
		return out
	}
	ca := canonical(a)
	return ca != nil && bytes.Equal(ca, canonical(b))
}

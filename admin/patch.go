package admin

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/chancery-id/chancery/tenant"
)

// ParseSettings reads a settings document that stands at /settings in what was submitted. No document is an empty one.
// What is wrong with it is *Invalid.
func ParseSettings(doc json.RawMessage) (tenant.Settings, error) {
	if len(doc) == 0 {
		return tenant.Settings{}, nil
	}
	s, err := tenant.ParseSettings(doc)
	if e, ok := errors.AsType[tenant.FieldError](err); ok {
		return s, invalid("/settings"+e.Pointer, e.Message)
	}
	return s, err
}

// patched returns s after patch, a JSON merge patch (RFC 7396).
func patched(s tenant.Settings, patch json.RawMessage) (tenant.Settings, error) {
	changes, err := decoded(patch)
	if err != nil {
		return s, invalid("/settings", "is not JSON")
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	target, err := decoded(raw)
	if err != nil {
		return s, err
	}
	doc, err := json.Marshal(merged(target, changes))
	if err != nil {
		return s, err
	}
	return ParseSettings(doc)
}

// decoded is a JSON value with its numbers as they are written.
func decoded(raw []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// merged is the function MergePatch of RFC 7396 §2.
func merged(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out, ok := target.(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	for name, v := range changes {
		if v == nil {
			delete(out, name)
		} else {
			out[name] = merged(out[name], v)
		}
	}
	return out
}

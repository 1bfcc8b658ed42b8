package console

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

// settingsBody is a settings document as it is sent.
type settingsBody json.RawMessage

// MarshalJSON writes what was sent.
func (b settingsBody) MarshalJSON() ([]byte, error) { return b, nil }

func (d *Door) readSettings(q *call) (tenant.Settings, error) {
	r, err := d.Console.Tenant(q.Request.Context(), q.id)
	return q.settings(r, err)
}

// settings are those of a tenant, whose version becomes the ETag.
func (q *call) settings(r *tenant.Record, err error) (tenant.Settings, error) {
	if e, ok := errors.AsType[*admin.Invalid](err); ok { // the document is the body itself
		for i := range e.Fields {
			e.Fields[i].Pointer = strings.TrimPrefix(e.Fields[i].Pointer, "/settings")
		}
	}
	if err != nil {
		return tenant.Settings{}, err
	}
	q.Header("ETag", etag(r.Version))
	return r.Settings, nil
}

func (d *Door) putSettings(q *call, b *settingsBody) (tenant.Settings, error) {
	s, err := admin.ParseSettings(json.RawMessage(*b))
	if err != nil {
		return q.settings(nil, err)
	}
	return q.settings(d.change(q, admin.Change{Settings: &s}))
}

func (d *Door) patchSettings(q *call, b *settingsBody) (tenant.Settings, error) {
	return q.settings(d.change(q, admin.Change{Patch: json.RawMessage(*b)}))
}

// change changes a tenant at the version that If-Match names, if any.
func (d *Door) change(q *call, ch admin.Change) (*tenant.Record, error) {
	r, err := d.Console.Tenant(q.Request.Context(), q.id)
	if err != nil {
		return nil, err
	}
	at, err := match(q.Context, r.Version)
	if err != nil {
		return nil, err
	}
	return d.Console.UpdateTenant(q.Request.Context(), r.ID, at, ch, q.by)
}

// settingsSchema is the JSON Schema of settings documents.
func (d *Door) settingsSchema(*call) (json.RawMessage, error) {
	s := schemas{}
	ref := s.of(reflect.TypeFor[tenant.Settings]())
	text, err := json.Marshal(map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": ref["$ref"], "$defs": s})
	return json.RawMessage(strings.ReplaceAll(string(text), "#/components/schemas/", "#/$defs/")), err
}

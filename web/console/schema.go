package console

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// schemas describes types of bodies and answers as JSON Schema (2020-12). Structs become components.
type schemas map[string]any

// enumerations are the values that a type of text can have.
var enumerations = map[reflect.Type]any{
	reflect.TypeFor[tenant.API]():       admin.APIs,
	reflect.TypeFor[admin.Permission](): admin.Permissions(true),
	reflect.TypeFor[audit.Kind]():       append(admin.WebhookEvents(), outbox.TestEvent),
	reflect.TypeFor[keys.State]():       keys.AllStates(),
}

// documents are what raw JSON holds, by the tag "of" of its member.
var documents = map[string]reflect.Type{"settings": reflect.TypeFor[tenant.Settings]()}

func (s schemas) of(t reflect.Type) map[string]any {
	switch t {
	case linesType:
		return s.of(reflect.TypeFor[shownEvent]())
	case reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[settingsBody]():
		return s.of(reflect.TypeFor[tenant.Settings]())
	case reflect.TypeFor[clientBody]():
		return s.open("ClientMetadata", reflect.TypeFor[tenant.Metadata]())
	case reflect.TypeFor[clientDocument]():
		return s.open("Client", reflect.TypeFor[tenant.Metadata](), reflect.TypeFor[clientMembers]())
	case reflect.TypeFor[json.RawMessage]():
		return map[string]any{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Uint64:
		return map[string]any{"type": "integer"}
	case reflect.String:
		out := map[string]any{"type": "string"}
		if values, ok := enumerations[t]; ok {
			out["enum"] = values
		}
		return out
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return map[string]any{"type": "string", "contentEncoding": "base64"}
		}
		return map[string]any{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		return s.component(t)
	}
	return map[string]any{}
}

// component describes a struct once, and returns the reference to it.
func (s schemas) component(t reflect.Type) map[string]any {
	name := componentName(t)
	ref := map[string]any{"$ref": "#/components/schemas/" + name}
	if _, done := s[name]; done {
		return ref
	}
	properties, required := map[string]any{}, []string{}
	s[name] = nil // so that a type which holds itself comes to an end
	s.members(t, properties, &required)
	c := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		c["required"] = required
	}
	s[name] = c
	return ref
}

// open describes an object that holds the members of structs, and others.
func (s schemas) open(name string, ts ...reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, t := range ts {
		s.members(t, properties, &required)
	}
	s[name] = map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": true}
	return map[string]any{"$ref": "#/components/schemas/" + name}
}

func componentName(t reflect.Type) string {
	name := []rune(t.Name())
	name[0] = unicode.ToUpper(name[0])
	return string(name)
}

// members describes the members of a struct. Of our own types one is required that must be sent, and in answers one that
// always is there; of a tenant's documents none.
func (s schemas) members(t reflect.Type, properties map[string]any, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			s.members(f.Type, properties, required)
			continue
		}
		if name == "-" || name == "" {
			continue
		}
		member := s.of(f.Type)
		if of, ok := documents[f.Tag.Get("of")]; ok {
			member = s.of(of)
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			described := map[string]any{"description": doc}
			for k, v := range member {
				described[k] = v
			}
			member = described
		}
		properties[name] = member
		sent := strings.HasPrefix(t.Name(), "new") || strings.HasSuffix(t.Name(), "Patch") || t.Name() == "rotation"
		if f.Tag.Get("need") == "yes" || !sent && rest == "" && t.PkgPath() != reflect.TypeFor[tenant.Settings]().PkgPath() {
			*required = append(*required, name)
		}
	}
}

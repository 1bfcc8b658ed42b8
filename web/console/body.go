package console

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// read decodes the JSON body, an object, into v, a pointer to a struct. Members that v lacks, or of another type, are
// named in an *admin.Invalid; a member that is null counts as absent.
func read(c *gin.Context, v any) error {
	var raw json.RawMessage // which wire has checked for repeated members and the like
	reading := wire.ReadJSON
	if c.Request.Method == http.MethodPatch {
		reading = wire.ReadPatch
	}
	if err := reading(c, maxBody, &raw); err != nil {
		return err
	}
	switch doc := v.(type) {
	case *settingsBody:
		*doc = settingsBody(raw)
		return nil
	case *clientBody:
		*doc = clientBody(raw)
		return nil
	}
	fields, ok := fill(reflect.ValueOf(v).Elem(), raw, "")
	switch {
	case !ok:
		return errObject
	case len(fields) > 0:
		return &admin.Invalid{Fields: fields}
	}
	return nil
}

// fill decodes an object into a struct, and the elements of its lists of structs one by one. at is where the object is in
// the body. ok is false where it is no object.
func fill(into reflect.Value, raw json.RawMessage, at string) (fields []tenant.FieldError, ok bool) {
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(raw, &sent); err != nil || sent == nil {
		return nil, false
	}
	known := map[string]reflect.Value{}
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("json"), ",")
		known[name] = into.Field(i)
	}
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		field, ok := known[name]
		switch {
		case !ok:
			fields = append(fields, tenant.FieldError{Pointer: at + "/" + escape.Replace(name), Message: "is unknown"})
		case string(sent[name]) == "null":
		case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Struct:
			fields = append(fields, fillList(field, sent[name], at+"/"+name)...)
		case json.Unmarshal(sent[name], field.Addr().Interface()) != nil:
			fields = append(fields, tenant.FieldError{Pointer: at + "/" + name, Message: "has the wrong type"})
		}
	}
	return fields, true
}

// fillList decodes a list of objects into a slice of structs.
func fillList(into reflect.Value, raw json.RawMessage, at string) (fields []tenant.FieldError) {
	var sent []json.RawMessage
	if err := json.Unmarshal(raw, &sent); err != nil {
		return []tenant.FieldError{{Pointer: at, Message: "has the wrong type"}}
	}
	into.Set(reflect.MakeSlice(into.Type(), len(sent), len(sent)))
	for i, element := range sent {
		here := at + "/" + strconv.Itoa(i)
		wrong, ok := fill(into.Index(i), element, here)
		if !ok {
			wrong = []tenant.FieldError{{Pointer: here, Message: "is not an object"}}
		}
		fields = append(fields, wrong...)
	}
	return fields
}

var errObject = oauth.InvalidRequest("The body is not a JSON object")

// escape makes a member name a reference token of a JSON pointer (RFC 6901 §3).
var escape = strings.NewReplacer("~", "~0", "/", "~1")

package console

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
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
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(raw, &sent); err != nil || sent == nil {
		return errObject
	}
	into := reflect.ValueOf(v).Elem()
	known := map[string]reflect.Value{}
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("json"), ",")
		known[name] = into.Field(i)
	}
	var fields []tenant.FieldError
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		field, ok := known[name]
		switch {
		case !ok:
			fields = append(fields, tenant.FieldError{Pointer: "/" + escape.Replace(name), Message: "is unknown"})
		case string(sent[name]) == "null":
		case json.Unmarshal(sent[name], field.Addr().Interface()) != nil:
			fields = append(fields, tenant.FieldError{Pointer: "/" + name, Message: "has the wrong type"})
		}
	}
	if len(fields) > 0 {
		return &admin.Invalid{Fields: fields}
	}
	return nil
}

var errObject = oauth.InvalidRequest("The body is not a JSON object")

// escape makes a member name a reference token of a JSON pointer (RFC 6901 §3).
var escape = strings.NewReplacer("~", "~0", "/", "~1")

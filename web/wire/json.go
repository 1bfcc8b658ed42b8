package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
)

// MaxDepth is how deep the objects and arrays of a JSON body may nest.
const MaxDepth = 64

// ReadJSON decodes a JSON body of at most max bytes into v, a pointer. It is stricter than encoding/json: a
// repeated member, one nested too deep, a zero character, and what is not UTF-8 are invalid_request; names
// are case-sensitive; a member that is null is absent. Unknown members are ignored, but in what is Closed.
func ReadJSON(c *gin.Context, max int64, v any) error { return readJSON(c, max, v, false) }

// ReadStrictJSON is ReadJSON, except that an unknown member is invalid_request.
func ReadStrictJSON(c *gin.Context, max int64, v any) error { return readJSON(c, max, v, true) }

func readJSON(c *gin.Context, max int64, v any, strict bool) error {
	if err := mediaType(c.Request, "application/json"); err != nil {
		return err
	}
	b, err := RawBody(c, max)
	if err != nil {
		return err
	}
	return decode(b, v, strict)
}

// ReadPatch is ReadJSON, also for a JSON merge patch (RFC 7396 §4) that says so.
func ReadPatch(c *gin.Context, max int64, v any) error {
	if mediaType(c.Request, "application/merge-patch+json") == nil {
		b, err := RawBody(c, max)
		if err != nil {
			return err
		}
		return decode(b, v, false)
	}
	return readJSON(c, max, v, false)
}

// DecodeJSON is ReadJSON for JSON that stands in a text.
func DecodeJSON(text string, v any) error { return decode([]byte(text), v, false) }

// sent returns the path of a member as the caller wrote it. encoding/json also puts into it the Go names of structs that
// are embedded in those that are decoded into.
func sent(t reflect.Type, path string) string {
	var names []string
	for name := range strings.SplitSeq(path, ".") {
		t = plain(t)
		for e := elem(t); e != nil; e = elem(t) {
			t = plain(e)
		}
		if t != nil && t.Kind() == reflect.Struct {
			if f, ok := t.FieldByName(name); ok && f.Anonymous && f.Tag.Get("json") == "" {
				t = f.Type
				continue
			}
			known, _ := fields(t)
			t = known[name]
		}
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

// decode changes b.
func decode(b []byte, v any, strict bool) error {
	d := document{text: b, strict: strict}
	for d.at < len(b) {
		r, n := utf8.DecodeRune(b[d.at:])
		if r == utf8.RuneError && n == 1 {
			return d.wrong("The JSON is not UTF-8")
		}
		d.at += n
	}
	d.at = 0
	if err := d.document(reflect.TypeOf(v)); err != nil {
		return err
	}
	err := json.Unmarshal(b, v)
	if typ, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		member := sent(reflect.TypeOf(v), typ.Field)
		if member == "" || !text(member) {
			return oauth.InvalidRequest("The JSON value has the wrong type")
		}
		return oauth.InvalidRequest("The JSON member " + spoken(member) + " has the wrong type")
	}
	if err != nil {
		return oauth.InvalidRequest("The JSON holds a value that is not allowed").Because(err)
	}
	return nil
}

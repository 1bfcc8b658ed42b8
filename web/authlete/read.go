package authlete

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// read decodes the body into v, a pointer to a struct: JSON, or a form whose parameters are the members. Of a form,
// arrays are space-separated, and members that are objects are not read.
func (c *call) read(v any) error {
	if !c.sendsForm() {
		return wire.ReadJSON(c.Context, maxBody, v)
	}
	f, err := wire.Form(c.Context, maxBody)
	if err != nil {
		return err
	}
	return fill(f, reflect.ValueOf(v).Elem())
}

func (c *call) sendsForm() bool { return c.ContentType() == "application/x-www-form-urlencoded" }

// fill sets the fields of s, by their names in JSON, from f.
func fill(f url.Values, s reflect.Value) error {
	for i := range s.NumField() {
		field, to := s.Type().Field(i), s.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			if err := fill(f, to); err != nil {
				return err
			}
			continue
		}
		sent := f.Get(name)
		if sent == "" {
			continue
		}
		if err := set(to, sent); err != nil {
			return oauth.InvalidRequest("The parameter " + name + " has the wrong form").Because(err)
		}
	}
	return nil
}

// set sets v, a field of a kind that a form can hold, from its text.
func set(v reflect.Value, text string) error {
	switch v.Interface().(type) {
	case string:
		v.SetString(text)
	case []string:
		v.Set(reflect.ValueOf(strings.Fields(text)))
	case *[]string:
		list := strings.Fields(text)
		v.Set(reflect.ValueOf(&list))
	case *ticketInfo:
		v.Set(reflect.ValueOf(&ticketInfo{ticketContext{text}}))
	case int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		v.SetInt(n)
	case bool:
		b, err := boolean(text)
		if err != nil {
			return err
		}
		v.SetBool(b)
	case *bool:
		b, err := boolean(text)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(&b))
	}
	return nil
}

// object reads the members of the body: JSON, or a form, of which those are read whose types a form can hold.
func (c *call) object(shapes map[string]shape) (members map[string]json.RawMessage, err error) {
	if !c.sendsForm() {
		err = wire.ReadJSON(c.Context, maxBody, &members)
		return members, err
	}
	f, err := wire.Form(c.Context, maxBody)
	if err != nil {
		return nil, err
	}
	members = map[string]json.RawMessage{}
	for name := range f {
		v, err := shapes[name].of(f.Get(name))
		if err != nil {
			return nil, oauth.InvalidRequest("The parameter " + name + " has the wrong form").Because(err)
		}
		if members[name], err = json.Marshal(v); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// of is what text stands for in a form; nil where no form can hold it.
func (s shape) of(text string) (any, error) {
	switch s {
	case "b":
		return boolean(text)
	case "i", "l":
		return strconv.ParseInt(text, 10, 64)
	case "s", "uri", "enum":
		return text, nil
	case "s[]", "enum[]":
		return strings.Fields(text), nil
	}
	return nil, nil
}

// boolean reads true or false in any letter case.
func boolean(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, oauth.InvalidRequest("A boolean is neither true nor false")
}

// given reports whether a member counts as given: null, empty strings and arrays, and zero do not.
func given(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", `""`, "0", "[]", "{}":
		return false
	}
	return true
}

// objectIn reads text, the JSON object in the member of that name; none where it is empty.
func objectIn(name, text string) (map[string]json.RawMessage, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var o map[string]json.RawMessage
	if err := wire.DecodeJSON(text, &o); err != nil {
		return nil, oauth.InvalidRequest(name + " is not a JSON object: " + oauth.ErrorOf(err).Description).Because(err)
	}
	return o, nil
}

// start and end of a page of a list, when a caller says nothing else.
const defaultEnd = 5

// maxPage is how much a page holds at most.
const maxPage = 1000

// page reads start and end from the query.
func (c *call) page() (start, end int, err error) {
	q, err := wire.Query(c.Context)
	if err != nil {
		return 0, 0, err
	}
	if start, err = index(q, "start", 0); err != nil {
		return 0, 0, err
	}
	if end, err = index(q, "end", start+defaultEnd); err != nil {
		return 0, 0, err
	}
	if end < start || end-start > maxPage {
		return 0, 0, errPage
	}
	return start, end, nil
}

func index(q url.Values, name string, or int) (int, error) {
	s := q.Get(name)
	if s == "" {
		return or, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0, oauth.InvalidRequest(name + " is not a whole number").Because(err)
	}
	return int(n), nil
}

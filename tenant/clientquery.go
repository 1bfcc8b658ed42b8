package tenant

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
)

// A clientQuery is a condition on what clients registered. As JSON it is an object: each member names one of a client's metadata,
// client_id included, with dots between the names of nested ones, and says what it is: a value, or an object of operators. All
// of them must hold. A member that is an array is any of its elements.
//
//	{"software_id": "portal", "data.tier": {"$in": ["gold", "silver"]}, "logo_uri": {"$exists": false}}
type clientQuery []condition

// condition is that of one operator.
type condition struct {
	path []string
	holds
	operand any
}

type holds func(value any, there bool, operand any) bool

// operators are the conditions there are. A value by itself is $eq.
var operators = map[string]holds{
	"$eq": func(v any, there bool, x any) bool { return there && equals(v, x) },
	"$ne": func(v any, there bool, x any) bool { return !there || !equals(v, x) },
	"$in": func(v any, there bool, xs any) bool {
		return there && slices.ContainsFunc(xs.([]any), func(x any) bool { return equals(v, x) })
	},
	"$nin": func(v any, there bool, xs any) bool {
		return !there || !slices.ContainsFunc(xs.([]any), func(x any) bool { return equals(v, x) })
	},
	"$exists": func(_ any, there bool, x any) bool { return there == x.(bool) },
}

// equals reports whether a value is x, or an array that holds it.
func equals(v, x any) bool {
	if vs, ok := v.([]any); ok && slices.ContainsFunc(vs, func(v any) bool { return reflect.DeepEqual(v, x) }) {
		return true
	}
	return reflect.DeepEqual(v, x)
}

// maxQuery is the longest query, in bytes.
const maxQuery = 4 << 10

var errQuery = errors.New("must be an object of client metadata, each with a value or with $eq, $ne, $in, $nin or $exists, of at most 4096 bytes")

// parseClientQuery reads a query. No document, and null, is no query.
func parseClientQuery(doc json.RawMessage) (q clientQuery, err error) {
	if len(doc) == 0 || string(doc) == "null" {
		return nil, nil
	}
	var members map[string]any
	if len(doc) > maxQuery || json.Unmarshal(doc, &members) != nil || len(members) == 0 {
		return nil, errQuery
	}
	for name, v := range members {
		path := strings.Split(name, ".")
		if slices.Contains(path, "") || strings.HasPrefix(name, "$") {
			return nil, errQuery
		}
		wanted, ok := v.(map[string]any)
		if !ok {
			wanted = map[string]any{"$eq": v}
		}
		if len(wanted) == 0 {
			return nil, errQuery
		}
		for operator, operand := range wanted {
			holds, known := operators[operator]
			_, list := operand.([]any)
			_, flag := operand.(bool)
			if !known || list != (operator == "$in" || operator == "$nin") || operator == "$exists" && !flag || operand == nil {
				return nil, errQuery
			}
			q = append(q, condition{path, holds, operand})
		}
	}
	return q, nil
}

// fits reports whether c is what q asks for.
func (q clientQuery) fits(c *Client) bool {
	text, err := json.Marshal(c)
	if err != nil {
		return false
	}
	var doc any
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&doc); err != nil {
		return false
	}
	return !slices.ContainsFunc(q, func(x condition) bool {
		v, there := at(doc, x.path)
		return !x.holds(v, there, x.operand)
	})
}

// at is the value that path leads to.
func at(v any, path []string) (any, bool) {
	for _, name := range path {
		members, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = members[name]; !ok {
			return nil, false
		}
	}
	return v, v != nil
}

// SignsInAnew reports whether the first request of c in a session demands authentication although the subject has done so
// for another client.
func (s *Settings) SignsInAnew(c *Client) bool {
	q, err := parseClientQuery(s.Authorization.NoSingleSignOn)
	return err == nil && q != nil && c != nil && q.fits(c)
}

// noSingleSignOn checks the query.
func (c *checker) noSingleSignOn(doc json.RawMessage) {
	_, err := parseClientQuery(doc)
	c.that(err == nil, "/authorization/no_single_sign_on", errQuery.Error())
}

package console

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// Operation is one of the administration as who calls it sees it.
type Operation struct {
	Name, Method, Path string // the path has names such as :id in place of values
	Summary            string
	Query              []Parameter
	Body               []Member // that may be sent; empty also where the body is a document as a whole
	Document           bool     // the body is a document as a whole, such as settings
	Optional           bool     // the body may be left out
	Tagged             bool     // a change may be bound to a version by If-Match
	Lines              bool     // the answer is JSON lines
	Paged              bool     // the answer is a page of a list
}

// Parameter is one of an operation's query.
type Parameter struct {
	Name, Description string
	Number            bool
	Values            []string // it is one of those, if any
}

// Member is one of an operation's body.
type Member struct {
	Name, Description string
	Type              reflect.Type
	Needed            bool
}

// Operations returns all of the administration.
func Operations() []Operation {
	out := make([]Operation, len(routes))
	for i := range routes {
		out[i] = routes[i].public()
	}
	return out
}

func (r *route) public() Operation {
	o := Operation{Name: r.name, Method: r.method, Path: adminPath + r.path, Summary: r.summary, Optional: r.optional, Lines: r.answer == linesType,
		Tagged: r.tagged && (r.conditional || r.method == http.MethodPut || r.method == http.MethodPatch),
		Paged:  r.answer != linesType && slices.ContainsFunc(r.query, func(p parameter) bool { return p.name == cursorParameter.name })}
	for _, p := range r.query {
		o.Query = append(o.Query, Parameter{Name: p.name, Description: p.description, Number: p.number, Values: p.values})
	}
	if r.body == nil {
		return o
	}
	if r.body.ConvertibleTo(reflect.TypeFor[json.RawMessage]()) {
		o.Document = true
		return o
	}
	for i := range r.body.NumField() {
		f := r.body.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		o.Body = append(o.Body, Member{Name: name, Description: f.Tag.Get("doc"), Type: f.Type, Needed: f.Tag.Get("need") == "yes"})
	}
	return o
}

package console

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// route is one row of the administration: from it come the routing, the permission that is asked for, and the
// description.
type route struct {
	method, path string
	permission   admin.Permission // empty: any administrator
	name         string           // of the operation
	summary      string
	status       int // of the answer
	query        []parameter
	optional     bool  // the body may be left out
	tagged       bool  // the answer has an ETag, which If-Match asks for
	conditional  bool  // it reads If-Match although it is a POST
	errors       []int // beside those that any such route has
	operation
}

// operation is what a route does, with the types that it reads and answers with; nil where there is none.
type operation struct {
	body, answer reflect.Type
	run          func(d *Door, q *call, body any) (any, error)
}

var linesType = reflect.TypeFor[lines]()

// none stands for no body, or no answer.
type none struct{}

// op is the operation that f carries out.
func op[B, A any](f func(d *Door, q *call, body *B) (A, error)) operation {
	o := operation{body: reflect.TypeFor[B](), answer: reflect.TypeFor[A](), run: func(d *Door, q *call, body any) (any, error) {
		return f(d, q, body.(*B))
	}}
	if o.body == reflect.TypeFor[none]() {
		o.body = nil
	}
	if o.answer == reflect.TypeFor[none]() {
		o.answer = nil
	}
	return o
}

// look is the operation that f carries out without a body.
func look[A any](f func(d *Door, q *call) (A, error)) operation {
	o := op(func(d *Door, q *call, _ *none) (A, error) { return f(d, q) })
	return o
}

// parameter is one of the query.
type parameter struct {
	name, description string
	number            bool
	values            []string // it is one of those, if any
}

// call is a request of an administrator who may make it.
type call struct {
	*gin.Context
	home  *tenant.Tenant // where the caller is at home
	id    tenant.ID      // that the path names, or empty
	by    admin.By
	query url.Values
}

// handler returns what serves a route.
func (d *Door) handler(r *route) wire.Handler {
	return func(c *gin.Context, home *tenant.Tenant) {
		wire.EventOf(c).Flow("admin " + r.name)
		q := &call{Context: c, home: home, id: tenant.ID(c.Param("id")), by: d.by(c, home)}
		answer, err := d.answer(r, q)
		switch {
		case err != nil:
			fail(c, err)
		case r.answer == linesType:
			q.stream(answer.(lines))
		case r.answer == nil:
			wire.NoContent(c)
		default:
			wire.JSON(c, r.status, answer)
		}
	}
}

func (d *Door) answer(r *route, q *call) (any, error) {
	if r.permission != "" {
		if err := d.Console.Check(q.Request.Context(), q.id, r.permission, q.by); err != nil {
			return nil, err
		}
	}
	var err error
	if q.query, err = wire.Query(q.Context); err != nil {
		return nil, err
	}
	for name, values := range q.query {
		i := slices.IndexFunc(r.query, func(p parameter) bool { return p.name == name })
		switch {
		case i < 0:
			return nil, &badParameter{name, "is unknown"}
		case len(r.query[i].values) > 0 && !slices.Contains(r.query[i].values, values[0]):
			return nil, &badParameter{name, "is none of the values that it can have"}
		}
	}
	body := reflect.ValueOf(&none{})
	if r.body != nil {
		body = reflect.New(r.body)
	}
	if r.body != nil && (!r.optional || q.Request.ContentLength != 0) {
		if err := read(q.Context, body.Interface()); err != nil {
			if partly, ok := body.Interface().(judged); ok {
				err = partly.judge(d, q, err)
			}
			return nil, err
		}
	}
	if r.method == http.MethodPost && len(q.Request.Header.Values(keyHeader)) > 0 {
		return d.once(r, q, body.Interface())
	}
	return r.run(d, q, body.Interface())
}

// judged is a body of which all that is wrong is told, also where a part of it could not be read.
type judged interface {
	judge(d *Door, q *call, misread error) error
}

// by is who calls.
func (d *Door) by(c *gin.Context, home *tenant.Tenant) admin.By {
	if d.Operator != "" {
		return admin.By{Actor: d.Operator}
	}
	who := admin.By{Caller: &admin.Caller{Home: home, Resolve: d.Resolve}}
	if k := wire.TokenOf(c); k != nil {
		who.Actor, who.Caller.Principal = k.ID, k.Principal()
	} else {
		who.Caller.Principal = admin.Person(wire.PersonOf(c))
		who.Actor = who.Caller.Principal
	}
	if a := wire.AddressOf(c); a.IsValid() {
		who.Address = a.String()
	}
	return who
}

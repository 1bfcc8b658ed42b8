package console

import (
	"github.com/chancery-id/chancery/admin"
)

// scopeBody is what is said of a scope value.
type scopeBody struct {
	Description  string            `json:"description,omitempty" doc:"What a client may do with it, for the consent page"`
	Descriptions map[string]string `json:"descriptions,omitempty" doc:"The same by language tag, such as de"`
	Claims       []string          `json:"claims,omitempty" doc:"That it asks for; those of a standard scope value are fixed"`
	Default      bool              `json:"default,omitempty" doc:"Requests that name no scope ask for it"`
	Advertised   bool              `json:"advertised,omitempty" doc:"It is among scopes_supported"`
}

// shownScope is a scope value.
type shownScope struct {
	Name         string            `json:"name"`
	Description  string            `json:"description,omitempty"`
	Descriptions map[string]string `json:"descriptions,omitempty"`
	Claims       []string          `json:"claims,omitempty"`
	Default      bool              `json:"default"`
	Advertised   bool              `json:"advertised"`
	Standard     bool              `json:"standard" doc:"OpenID Connect's, whose claims are fixed"`
}

// scopeList are all scope values of a tenant.
type scopeList struct {
	Scopes []shownScope `json:"scopes"`
}

func (d *Door) listScopes(q *call) (*scopeList, error) {
	all, r, err := d.Console.Scopes(q.Request.Context(), q.id)
	if err != nil {
		return nil, err
	}
	q.Header("ETag", etag(r.Version))
	out := &scopeList{Scopes: []shownScope{}}
	for _, s := range all {
		out.Scopes = append(out.Scopes, shownScope(s))
	}
	return out, nil
}

func (d *Door) readScope(q *call) (shownScope, error) {
	s, r, err := d.Console.Scope(q.Request.Context(), q.id, q.Param("scope"))
	if err == nil {
		q.Header("ETag", etag(r.Version))
	}
	return shownScope(s), err
}

func (d *Door) putScope(q *call, b *scopeBody) (shownScope, error) {
	at, err := d.matched(q)
	if err != nil {
		return shownScope{}, err
	}
	name := q.Param("scope")
	r, err := d.Console.PutScope(q.Request.Context(), q.id, at, admin.Scope{Name: name, Description: b.Description, Descriptions: b.Descriptions, Claims: b.Claims,
		Default: b.Default, Advertised: b.Advertised}, q.by)
	if err != nil {
		return shownScope{}, err
	}
	q.Header("ETag", etag(r.Version))
	s, _, err := d.Console.Scope(q.Request.Context(), q.id, name)
	return shownScope(s), err
}

func (d *Door) deleteScope(q *call) (none, error) {
	at, err := d.matched(q)
	if err != nil {
		return none{}, err
	}
	return none{}, d.Console.DeleteScope(q.Request.Context(), q.id, at, q.Param("scope"), q.query.Get("force") == "true", q.by)
}

// matched is the version of the tenant that If-Match names, if any.
func (d *Door) matched(q *call) (int64, error) {
	r, err := d.Console.Tenant(q.Request.Context(), q.id)
	if err != nil {
		return 0, err
	}
	return match(q.Context, r.Version)
}

package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// newTenant is the body that creates a tenant.
type newTenant struct {
	ID       string          `json:"tenant_id"`
	Issuer   string          `json:"issuer"`
	Template string          `json:"template"`
	Username string          `json:"username"`
	Settings json.RawMessage `json:"settings"`
}

// shownTenant is a tenant as an administrator sees it.
type shownTenant struct {
	ID        tenant.ID       `json:"tenant_id"`
	ServiceID int64           `json:"service_id"`
	Issuer    string          `json:"issuer"`
	Enabled   bool            `json:"enabled"`
	Version   int64           `json:"version"`
	Settings  tenant.Settings `json:"settings"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

func shown(r *tenant.Record) shownTenant {
	return shownTenant{ID: r.ID, ServiceID: r.ServiceID, Issuer: r.Issuer, Enabled: r.Enabled, Version: r.Version,
		Settings: r.Settings, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
}

func (d *Door) createTenant(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin create tenant")
	var b newTenant
	if err := read(c, &b); err != nil {
		fail(c, err)
		return
	}
	s, err := admin.ParseSettings(b.Settings)
	if err != nil {
		fail(c, err)
		return
	}
	out, err := d.Console.CreateTenant(c.Request.Context(), admin.New{ID: b.ID, Issuer: b.Issuer, Template: b.Template,
		Username: b.Username, Settings: s}, by(c))
	if err != nil {
		fail(c, err)
		return
	}
	c.Header("Location", adminPath+"/tenants/"+string(out.TenantID))
	wire.JSON(c, http.StatusCreated, out)
}

// tenantList is a page of tenants. Next is absent on the last one.
type tenantList struct {
	Tenants []shownTenant `json:"tenants"`
	Next    string        `json:"next_cursor,omitempty"`
}

func (d *Door) listTenants(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("admin list tenants")
	page, err := d.page(c, t)
	if err != nil {
		fail(c, err)
		return
	}
	wire.JSON(c, http.StatusOK, page)
}

func (d *Door) page(c *gin.Context, t *tenant.Tenant) (*tenantList, error) {
	q, err := wire.Query(c)
	if err != nil {
		return nil, err
	}
	n, err := limitOf(q)
	if err != nil {
		return nil, err
	}
	after, err := afterOf(t, "tenants", q)
	if err != nil {
		return nil, err
	}
	rs, err := d.Console.Tenants(c.Request.Context(), tenant.ID(after), n+1)
	if err != nil {
		return nil, err
	}
	page := &tenantList{Tenants: []shownTenant{}}
	for i := range rs[:min(n, len(rs))] {
		page.Tenants = append(page.Tenants, shown(&rs[i]))
	}
	if len(rs) > n {
		page.Next = cursor(t, "tenants", string(rs[n-1].ID))
	}
	return page, nil
}

func (d *Door) readTenant(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin read tenant")
	r, err := d.Console.Tenant(c.Request.Context(), idOf(c))
	answer(c, r, err)
}

// tenantPatch is the body that changes a tenant. Settings is a JSON merge patch (RFC 7396).
type tenantPatch struct {
	Settings json.RawMessage `json:"settings"`
	Enabled  *bool           `json:"enabled"`
}

func (d *Door) patchTenant(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin change tenant")
	r, err := d.patch(c)
	answer(c, r, err)
}

func (d *Door) patch(c *gin.Context) (*tenant.Record, error) {
	var b tenantPatch
	if err := read(c, &b); err != nil {
		return nil, err
	}
	r, err := d.Console.Tenant(c.Request.Context(), idOf(c))
	if err != nil {
		return nil, err
	}
	at, err := match(c, r.Version)
	if err != nil {
		return nil, err
	}
	return d.Console.UpdateTenant(c.Request.Context(), r.ID, at, admin.Change{Patch: b.Settings, Enabled: b.Enabled}, by(c))
}

// match checks the precondition of a change (RFC 9110 §13.1.1), and returns the version to change: zero, which stands for
// any, where there is none.
func match(c *gin.Context, version int64) (int64, error) {
	h := c.GetHeader("If-Match")
	if h == "" || h == "*" {
		return 0, nil
	}
	for tag := range strings.SplitSeq(h, ",") {
		if strings.TrimSpace(tag) == etag(version) {
			return version, nil
		}
	}
	return 0, oauth.InvalidRequest("The tenant is of another version than If-Match says").Because(tenant.ErrConflict)
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// answer writes a tenant with its version.
func answer(c *gin.Context, r *tenant.Record, err error) {
	if err != nil {
		fail(c, err)
		return
	}
	c.Header("ETag", etag(r.Version))
	wire.JSON(c, http.StatusOK, shown(r))
}

func (d *Door) deleteTenant(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin delete tenant")
	if err := d.Console.DeleteTenant(c.Request.Context(), idOf(c), by(c)); err != nil {
		fail(c, err)
		return
	}
	wire.NoContent(c)
}

// idOf is the tenant that the path names.
func idOf(c *gin.Context) tenant.ID { return tenant.ID(c.Param("id")) }

// eventList is a page of events, newest first.
type eventList struct {
	Events []shownEvent `json:"events"`
}

// shownEvent is what happened, as an administrator sees it.
type shownEvent struct {
	At       time.Time         `json:"at"`
	Kind     string            `json:"kind"`
	Actor    string            `json:"actor,omitempty"`
	Subject  string            `json:"sub,omitempty"`
	ClientID string            `json:"client_id,omitempty"`
	Session  string            `json:"session_id,omitempty"`
	Grant    string            `json:"grant_id,omitempty"`
	Address  string            `json:"address,omitempty"`
	Detail   map[string]string `json:"detail,omitempty"`
}

// listEvents serves events before a time.
func (d *Door) listEvents(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin list events")
	es, err := d.events(c)
	if err != nil {
		fail(c, err)
		return
	}
	wire.JSON(c, http.StatusOK, eventList{es})
}

func (d *Door) events(c *gin.Context) ([]shownEvent, error) {
	q, err := wire.Query(c)
	if err != nil {
		return nil, err
	}
	n, err := limitOf(q)
	if err != nil {
		return nil, err
	}
	before, err := beforeOf(q)
	if err != nil {
		return nil, err
	}
	es, err := d.Console.Events(c.Request.Context(), idOf(c), before, n)
	if err != nil {
		return nil, err
	}
	out := make([]shownEvent, len(es))
	for i, e := range es {
		out[i] = shownEvent{At: e.At, Kind: string(e.Kind), Actor: e.Actor, Subject: e.Subject, ClientID: e.ClientID,
			Session: e.Session, Grant: e.Grant, Address: e.Address, Detail: e.Detail}
	}
	return out, nil
}

func beforeOf(q url.Values) (time.Time, error) {
	s := q.Get("before")
	if s == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, &badParameter{"before", "must be a time as in RFC 3339"}
	}
	return at, nil
}

package console

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// newTenant is the body that creates a tenant.
type newTenant struct {
	ID       string          `json:"tenant_id" need:"yes" doc:"1 to 63 of a-z, 0-9 and inner hyphens; it never changes"`
	Issuer   string          `json:"issuer" doc:"Where its tokens come from; below the public URL where left out. It never changes"`
	Template string          `json:"template" doc:"starter, for a client and a user besides"`
	Username string          `json:"username" doc:"Of the starter's user; alice where left out"`
	Settings json.RawMessage `json:"settings" of:"settings"`
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
	DeletedAt time.Time       `json:"deleted_at,omitzero"`
	PurgeAt   time.Time       `json:"purge_at,omitzero" doc:"Until when a deleted tenant can be restored"`
}

func shown(r *tenant.Record) shownTenant {
	return shownTenant{ID: r.ID, ServiceID: r.ServiceID, Issuer: r.Issuer, Enabled: r.Enabled, Version: r.Version,
		Settings: r.Settings, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, DeletedAt: r.DeletedAt, PurgeAt: r.PurgeAt}
}

func (d *Door) createTenant(q *call, b *newTenant) (admin.Created, error) {
	s, err := admin.ParseSettings(b.Settings)
	if err != nil {
		return admin.Created{}, err
	}
	out, err := d.Console.CreateTenant(q.Request.Context(), admin.New{ID: b.ID, Issuer: b.Issuer, Template: b.Template,
		Username: b.Username, Settings: s}, q.by)
	if err == nil {
		q.Header("Location", adminPath+"/tenants/"+string(out.TenantID))
	}
	return out, err
}

// tenantList is a page of tenants. Next is absent on the last one.
type tenantList struct {
	Tenants []shownTenant `json:"tenants"`
	Next    string        `json:"next_cursor,omitempty"`
}

func (d *Door) listTenants(q *call) (*tenantList, error) {
	n, err := limitOf(q.query)
	if err != nil {
		return nil, err
	}
	f := admin.TenantFilter{Query: q.query.Get("q"), Deleted: q.query.Get("deleted") == "true"}
	list := "tenants?" + f.Query
	if f.Deleted {
		list += "\x00deleted"
	}
	switch enabled := q.query.Get("enabled"); enabled {
	case "true", "false":
		list += "\x00" + enabled
		f.Enabled = new(enabled == "true")
	}
	after, err := afterOf(q.home, list, q.query)
	if err != nil {
		return nil, err
	}
	rs, err := d.Console.FindTenants(q.Request.Context(), f, tenant.ID(after), n+1)
	if err != nil {
		return nil, err
	}
	page := &tenantList{Tenants: []shownTenant{}}
	for i := range rs[:min(n, len(rs))] {
		page.Tenants = append(page.Tenants, shown(&rs[i]))
	}
	if len(rs) > n {
		page.Next = cursor(q.home, list, string(rs[n-1].ID))
	}
	return page, nil
}

func (d *Door) readTenant(q *call) (shownTenant, error) {
	r, err := d.Console.Tenant(q.Request.Context(), q.id)
	return q.tagged(r, err)
}

// tenantPatch is the body that changes a tenant. Settings is a JSON merge patch (RFC 7396).
type tenantPatch struct {
	Settings json.RawMessage `json:"settings" of:"settings" doc:"A JSON merge patch (RFC 7396): what is null goes back to its default"`
	Enabled  *bool           `json:"enabled" doc:"A tenant that is disabled answers nobody, and its tokens are inactive"`
}

func (d *Door) patchTenant(q *call, b *tenantPatch) (shownTenant, error) {
	if b.Enabled != nil {
		if err := d.Console.Check(q.Request.Context(), q.id, admin.EnableTenants, q.by); err != nil {
			return shownTenant{}, err
		}
	}
	return q.tagged(d.change(q, admin.Change{Patch: b.Settings, Enabled: b.Enabled}))
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
	return 0, oauth.InvalidRequest("It is of another version than If-Match says").Because(tenant.ErrConflict)
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// tagged is a tenant, whose version becomes the ETag.
func (q *call) tagged(r *tenant.Record, err error) (shownTenant, error) {
	if err != nil {
		return shownTenant{}, err
	}
	q.Header("ETag", etag(r.Version))
	return shown(r), nil
}

func (d *Door) deleteTenant(q *call) (none, error) {
	if q.query.Get("now") == "true" {
		return none{}, d.Console.RemoveTenant(q.Request.Context(), q.id, q.by)
	}
	return none{}, d.Console.DeleteTenant(q.Request.Context(), q.id, q.by)
}

func (d *Door) restoreTenant(q *call) (shownTenant, error) {
	return q.tagged(d.Console.RestoreTenant(q.Request.Context(), q.id, q.by))
}

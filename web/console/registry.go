package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// entry is a tenant in the registry. enabled and attrs are our own extension; where an update leaves them out, they stay.
type entry struct {
	ID      string            `json:"tid"`
	Props   map[string]string `json:"props"`
	Enabled *bool             `json:"enabled"`
	Attrs   map[string]string `json:"attrs"`
}

// entryOf is r as the registry shows it. Settings that have no property are not in it.
func entryOf(r *tenant.Record) entry {
	attrs := r.Settings.Attributes
	if attrs == nil {
		attrs = map[string]string{}
	}
	return entry{ID: string(r.ID), Props: propertiesOf(r), Enabled: &r.Enabled, Attrs: attrs}
}

// register creates a tenant with the API tokens whose hashes its properties hold, and no others.
func (d *Door) register(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("registry create")
	r, err := d.newEntry(c)
	if err != nil {
		failEntry(c, err)
		return
	}
	c.Header("Location", registryPath+"/"+string(r.ID))
	wire.JSON(c, http.StatusCreated, entryOf(r))
}

func (d *Door) newEntry(c *gin.Context) (*tenant.Record, error) {
	var b entry
	if err := read(c, &b); err != nil {
		return nil, err
	}
	s, tokens, err := applied(tenant.Settings{Attributes: b.Attrs}, b.Props)
	if err != nil {
		return nil, err
	}
	n := admin.New{ID: b.ID, Issuer: b.Props[issuerProperty], Settings: s, Tokens: tokens.sorted()}
	n.Disabled = b.Enabled != nil && !*b.Enabled
	out, err := d.Console.CreateTenant(c.Request.Context(), n, by(c))
	if err != nil {
		return nil, err
	}
	return d.Console.Tenant(c.Request.Context(), out.TenantID)
}

// atOnce is how many tenants are read at once while all are listed.
const atOnce = 500

// registered lists every tenant. The hashes of API tokens are only in the answer to the question for one tenant.
func (d *Door) registered(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("registry list")
	rs, err := d.Console.Tenants(c.Request.Context(), "", atOnce)
	if err != nil {
		failEntry(c, err)
		return
	}
	wire.NoStore(c)
	c.Header("Content-Type", "application/json")
	c.Status(http.StatusOK)
	separator := "["
	for len(rs) > 0 && err == nil {
		for i := range rs {
			raw, _ := json.Marshal(entryOf(&rs[i])) // strings and flags always can be
			_, _ = c.Writer.WriteString(separator)
			_, _ = c.Writer.Write(raw)
			separator = ","
		}
		rs, err = d.Console.Tenants(c.Request.Context(), rs[len(rs)-1].ID, atOnce)
	}
	if err != nil {
		wire.EventOf(c).Fail(err)
		panic(http.ErrAbortHandler) // half a list must not look like a whole one
	}
	if separator == "[" {
		_, _ = c.Writer.WriteString(separator)
	}
	_, _ = c.Writer.WriteString("]")
}

func (d *Door) readEntry(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("registry read")
	r, err := d.visible(c)
	if err != nil {
		failEntry(c, err)
		return
	}
	wire.JSON(c, http.StatusOK, entryOf(r))
}

// visible returns the tenant that the path names. The platform is not in the registry.
func (d *Door) visible(c *gin.Context) (*tenant.Record, error) {
	id := tenant.ID(c.Param("tid"))
	if id == tenant.Platform {
		id = ""
	}
	return d.Console.Tenant(c.Request.Context(), id)
}

// putEntry replaces what the properties of a tenant can say; settings that have no property stay.
func (d *Door) putEntry(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("registry update")
	r, err := d.visible(c)
	if err == nil {
		r, err = d.replaceEntry(c, r)
	}
	if err != nil {
		failEntry(c, err)
		return
	}
	wire.JSON(c, http.StatusOK, entryOf(r))
}

func (d *Door) replaceEntry(c *gin.Context, r *tenant.Record) (*tenant.Record, error) {
	var b entry
	if err := read(c, &b); err != nil {
		return nil, err
	}
	switch issuer, given := b.Props[issuerProperty]; {
	case b.ID != "" && b.ID != string(r.ID):
		return nil, badProperty("tid", "must be that of the path")
	case b.Props == nil:
		return nil, badProperty("props", "must be there")
	case given && issuer != r.Issuer:
		return nil, badProperty(issuerProperty, "cannot be changed")
	}
	base := r.Settings
	if b.Attrs != nil {
		base.Attributes = b.Attrs
	}
	s, tokens, err := applied(base, b.Props)
	if err != nil {
		return nil, err
	}
	if _, err := d.Console.UpdateTenant(c.Request.Context(), r.ID, r.Version, admin.Change{Settings: &s, Enabled: b.Enabled}, by(c)); err != nil {
		return nil, err
	}
	if err := d.replaceTokens(c, r, tokens); err != nil {
		return nil, err
	}
	return d.Console.Tenant(c.Request.Context(), r.ID)
}

// replaceTokens makes tokens those of the registry at r.
func (d *Door) replaceTokens(c *gin.Context, r *tenant.Record, tokens tokenProps) error {
	for _, k := range r.Tokens {
		if !strings.HasPrefix(k.Label, labelMark) {
			continue
		}
		if n, ok := tokens[string(k.Hash)]; ok && n.Label == k.Label {
			delete(tokens, string(k.Hash))
			continue
		}
		if err := d.Console.RevokeToken(c.Request.Context(), r.ID, k.ID, by(c)); err != nil {
			return err
		}
	}
	for _, n := range tokens.sorted() {
		if _, _, err := d.Console.CreateToken(c.Request.Context(), r.ID, n, by(c)); err != nil {
			return err
		}
	}
	return nil
}

// sorted returns the tokens in an order that does not change. It is never nil.
func (ts tokenProps) sorted() []admin.NewToken {
	out := make([]admin.NewToken, 0, len(ts))
	for _, n := range ts {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b admin.NewToken) int { return strings.Compare(a.Label, b.Label) })
	return out
}

func (d *Door) deleteEntry(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("registry delete")
	r, err := d.visible(c)
	if err == nil {
		err = d.Console.RemoveTenant(c.Request.Context(), r.ID, by(c))
	}
	if err != nil {
		failEntry(c, err)
		return
	}
	wire.NoContent(c)
}

// failEntry answers with the error object, which names the property that is wrong.
func failEntry(c *gin.Context, err error) {
	if e, ok := errors.AsType[*admin.Invalid](err); ok {
		err = badProperty(nameOf(e.Fields[0].Pointer), e.Fields[0].Message)
	}
	if errors.Is(err, tenant.ErrExists) || errors.Is(err, tenant.ErrConflict) {
		err = &wire.Status{Err: oauth.ErrorOf(err), HTTP: http.StatusConflict}
	}
	wire.Error(c, err)
}

// nameOf is the member of an entry, or the property, that a JSON pointer of the console stands for.
func nameOf(pointer string) string {
	for _, n := range []struct{ pointer, name string }{
		{"/tenant_id", "tid"}, {"/issuer", issuerProperty}, {"/settings/attributes", "attrs"}, {"/settings/authorization/claims_of_scope", "op.claims.map"}, {"/label", "The label of an API token"},
		{"/hash", "The hash of an API token"},
	} {
		if strings.HasPrefix(pointer, n.pointer) {
			return n.name
		}
	}
	setting, _ := strings.CutPrefix(pointer, "/settings")
	for _, p := range properties {
		if p.pointer != "" && (setting == p.pointer || strings.HasPrefix(setting, p.pointer+"/")) {
			return p.name
		}
	}
	if name := strings.TrimPrefix(pointer, "/"); speakable.MatchString(name) {
		return name
	}
	return "A member"
}

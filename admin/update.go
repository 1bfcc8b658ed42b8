package admin

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Change is what to change of a tenant; what is nil stays.
type Change struct {
	Settings *tenant.Settings // replaces all of them
	Patch    json.RawMessage  // or changes some of them: a JSON merge patch (RFC 7396)
	Enabled  *bool            // a disabled tenant answers nobody, and its tokens are inactive

	restores int64    // the version of the settings that Settings were; zero: they are new
	scope    string   // the scope value that it is about; empty: not only one
	says     []string // of the event, where it is not what changes of settings are; nil: it is
}

// UpdateTenant changes the tenant at that version and returns it as it is then. A version that is not the tenant's is an
// invalid_request with the cause tenant.ErrConflict; zero stands for whatever it is. The platform cannot be disabled.
func (c *Console) UpdateTenant(ctx context.Context, id tenant.ID, version int64, ch Change, by By) (*tenant.Record, error) {
	for tries := 0; ; tries++ {
		r, err := c.update(ctx, id, version, ch, by)
		if version == 0 && errors.Is(err, tenant.ErrConflict) && tries < retries {
			continue
		}
		return r, err
	}
}

// retries is how often an operation that no version binds is tried again when another comes between.
const retries = 4

func (c *Console) update(ctx context.Context, id tenant.ID, version int64, ch Change, by By) (*tenant.Record, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return nil, err
	}
	if version != 0 && version != r.Version {
		return nil, errConflict
	}
	now, what := c.now(), "settings"
	s, enabled := r.Settings, r.Enabled
	if ch.Settings != nil {
		s = *ch.Settings
	}
	if len(ch.Patch) > 0 {
		if s, err = patched(s, ch.Patch); err != nil {
			return nil, err
		}
	}
	if ch.Settings != nil || len(ch.Patch) > 0 {
		fields := checkSettings(&s)
		if len(fields) == 0 {
			fields = checkAlgs(&s, r.Keys, now)
		}
		if id == tenant.Platform && s.LoginURL != "" {
			fields = append(fields, tenant.FieldError{Pointer: "/settings/login_url", Message: "must be left out: administrators sign in at our own pages"})
		}
		if len(fields) > 0 {
			return nil, &Invalid{fields}
		}
	}
	if ch.Enabled != nil && *ch.Enabled != r.Enabled {
		if enabled = *ch.Enabled; !enabled && id == tenant.Platform {
			return nil, oauth.InvalidRequest("The platform cannot be disabled")
		}
		what = map[bool]string{true: "enabled", false: "disabled"}[enabled]
	}
	at, err := c.rekey(ctx, r, &s, now, by)
	if err != nil {
		return nil, err
	}
	if err := c.Store.UpdateTenant(ctx, id, at, s, enabled, now, c.event(audit.TenantUpdated, by, ch.details(what)...)); err != nil {
		return nil, worded(err)
	}
	c.changed(ctx)
	return c.record(ctx, id)
}

// rekey gives the tenant the keys that settings s want, and returns the version of the tenant after it.
func (c *Console) rekey(ctx context.Context, r *tenant.Record, s *tenant.Settings, now time.Time, by By) (int64, error) {
	ks, changed, err := c.keyed(r, s, now)
	if err != nil || changed == "" {
		return r.Version, err
	}
	if err := c.Store.PutKeys(ctx, r.ID, r.Version, ks, now, c.event(audit.KeysRotated, by, "change", changed)); err != nil {
		return 0, worded(err)
	}
	fresh, err := c.record(ctx, r.ID)
	if err != nil {
		return 0, err
	}
	return fresh.Version, nil
}

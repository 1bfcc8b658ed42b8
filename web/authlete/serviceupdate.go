package authlete

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// serviceObject is a service as it is sent.
type serviceObject map[string]json.RawMessage

// serviceShapes are the types of the members of a service.
var serviceShapes = func() map[string]shape {
	out := map[string]shape{}
	for i := range serviceMembers {
		out[serviceMembers[i].name] = serviceMembers[i].shape
	}
	return out
}()

// serviceIn reads a service object. Members that are not known are ignored.
func (c *call) serviceIn() (serviceObject, error) {
	in, err := c.object(serviceShapes)
	maps.DeleteFunc(in, func(_ string, raw json.RawMessage) bool { return !given(raw) })
	return in, err
}

// settings makes the settings of in, in the place of those of old, which is the service as it was, or nil. What the API
// has no member for stays. Members that are secrets are left out where seal is nil.
func (in serviceObject) settings(s *tenant.Settings, old *viewed, seal func(name string, raw json.RawMessage) json.RawMessage) error {
	had := s.Service.Members
	s.Service.Members = nil
	for i := range serviceMembers {
		m := &serviceMembers[i]
		raw := in[m.name]
		if raw != nil && m.fate != ours && !m.shape.is(raw) {
			return oauth.InvalidRequest(m.name + " has the wrong type")
		}
		var err error
		switch m.fate {
		case honoured:
			if m.loose && raw != nil && old != nil && had[m.name] == nil && alike(raw, m.show(old)) {
				continue
			}
			err = m.take(s, raw)
		case document:
			if m.take != nil {
				err = m.take(s, raw)
			}
			if raw != nil && old != nil && had[m.name] == nil && m.show != nil && alike(raw, m.show(old)) {
				raw = nil // it was read from us, and written back
			}
			if raw != nil && err == nil {
				err = m.check(raw)
			}
		case refused:
			if demanded(raw) {
				return contradiction(m.name, m.note)
			}
			raw = nil
		case ours:
			raw = nil
		}
		if raw != nil && err == nil && m.keeps() {
			if raw, err = asKept(raw); err == nil && m.fate == kept {
				err = known(m.name, raw)
			}
		}
		if err != nil {
			return typed(m.name, err)
		}
		if m.fate == sealed && raw != nil {
			if seal != nil {
				raw = seal(m.name, raw)
			} else {
				raw = nil
			}
		}
		if raw != nil && m.keeps() {
			if s.Service.Members == nil {
				s.Service.Members = map[string]json.RawMessage{}
			}
			s.Service.Members[m.name] = raw
		}
	}
	return nil
}

// keeps reports whether what is given is stored as it is: always, but for settings that are one value.
func (m *serviceMember) keeps() bool {
	return m.fate != honoured || strings.HasSuffix(string(m.shape), "[]")
}

// alike reports whether raw says what is told.
func alike(raw json.RawMessage, told any) bool {
	v, err := decoded(raw)
	if err != nil {
		return false
	}
	b, err := json.Marshal(told)
	if err != nil {
		return false
	}
	w, err := decoded(b)
	return err == nil && same(v, w)
}

// secret reports whether in has a member that is a secret.
func (in serviceObject) secret() bool {
	return slices.ContainsFunc(serviceMembers, func(m serviceMember) bool { return m.fate == sealed && in[m.name] != nil })
}

// fixed refuses an issuer that is not that of v, and keys that are not its own.
func (in serviceObject) fixed(v *viewed) error {
	if raw := in["issuer"]; raw != nil && !alike(raw, v.Issuer) {
		return contradiction("issuer", "it is fixed when the service is created")
	}
	return in.ownKeys(v)
}

// errKeys: keys are made here, rotated here, and never leave.
var errKeys = contradiction("jwks", "keys are made and rotated by the server, and private keys are neither taken nor told")

// ownKeys refuses keys but the public ones of v, which may be nil.
func (in serviceObject) ownKeys(v *viewed) error {
	raw := in["jwks"]
	if raw == nil {
		return nil
	}
	var text string
	var sent, published struct {
		Keys []map[string]any `json:"keys"`
	}
	if json.Unmarshal(raw, &text) != nil {
		return oauth.InvalidRequest("jwks has the wrong type")
	}
	if v == nil || json.Unmarshal([]byte(text), &sent) != nil || json.Unmarshal(v.Keys.JWKS(v.now), &published) != nil {
		return errKeys
	}
	for _, k := range sent.Keys {
		if !slices.ContainsFunc(published.Keys, func(p map[string]any) bool { return same(k, p) }) {
			return errKeys
		}
	}
	return nil
}

// tries is how often an update is tried when another change comes between.
const tries = 16

// serviceUpdate replaces the service: what is left out is as in a service that says nothing, which works.
func (d *Door) serviceUpdate(c *call) (int, any, error) {
	if !c.owner() {
		return 0, nil, errOwner
	}
	in, err := c.serviceIn()
	if err != nil {
		return 0, nil, err
	}
	for n := 1; ; n++ {
		r, err := d.replace(c, c.tenant.ID, in)
		if errors.Is(err, tenant.ErrConflict) && n < tries {
			continue
		}
		if err != nil {
			return 0, nil, settled(err)
		}
		return http.StatusOK, view(r, d.Now()).object(true), nil
	}
}

// replace replaces the service of a tenant at the version that it has now.
func (d *Door) replace(c *call, id tenant.ID, in serviceObject) (*tenant.Record, error) {
	ctx := c.Request.Context()
	r, err := d.Console.Tenant(ctx, id)
	if err != nil {
		return nil, err
	}
	old := view(r, d.Now())
	if err := in.fixed(old); err != nil {
		return nil, err
	}
	s := r.Settings
	if err := in.settings(&s, old, old.sealed); err != nil {
		return nil, err
	}
	return d.Console.UpdateTenant(ctx, id, r.Version, admin.Change{Settings: &s}, c.admin())
}

// serviceCreate makes a tenant with keys and an API token, which is in this answer alone.
func (d *Door) serviceCreate(c *call) (int, any, error) {
	if !c.operator() {
		return 0, nil, errOperator
	}
	in, err := c.serviceIn()
	if err != nil {
		return 0, nil, err
	}
	n := admin.New{}
	if raw := in["issuer"]; raw != nil && json.Unmarshal(raw, &n.Issuer) != nil {
		return 0, nil, oauth.InvalidRequest("issuer has the wrong type")
	}
	if err := in.ownKeys(nil); err != nil {
		return 0, nil, err
	}
	if err := in.settings(&n.Settings, nil, nil); err != nil {
		return 0, nil, err
	}
	if n.ID, err = d.label(); err != nil {
		return 0, nil, err
	}
	made, err := d.Console.CreateTenant(c.Request.Context(), n, c.admin())
	if err != nil {
		return 0, nil, settled(err)
	}
	var r *tenant.Record
	if in.secret() { // which are encrypted under what the tenant has now
		r, err = d.replace(c, made.TenantID, in)
	} else {
		r, err = d.Console.Tenant(c.Request.Context(), made.TenantID)
	}
	if err != nil {
		return 0, nil, err
	}
	out := view(r, d.Now()).object(true)
	out["apiSecret"] = made.APIToken
	return http.StatusOK, out, nil
}

// serviceDelete deletes the tenant. It is the operator's.
func (d *Door) serviceDelete(c *call) (int, any, error) {
	if !c.operator() {
		return 0, nil, errOwner
	}
	return 0, nil, d.Console.DeleteTenant(c.Request.Context(), c.tenant.ID, c.admin())
}

// admin is whoever calls, for the record of a change.
func (c *call) admin() admin.By {
	return admin.By{Actor: wire.TokenOf(c.Context).ID, Address: c.address()}
}

// owner reports whether the caller may change the service: the operator, and who holds a token for all that the tenant has.
func (c *call) owner() bool {
	return c.operator() || slices.Contains(wire.TokenOf(c.Context).APIs, tenant.AllAPIs)
}

var errOwner = oauth.InsufficientScope("The token has not the right to change the service.")

// settled words what is wrong with settings by the members that make them.
func settled(err error) error {
	wrong, ok := errors.AsType[*admin.Invalid](err)
	if !ok {
		return err
	}
	var said []string
	for _, f := range wrong.Fields {
		said = append(said, memberAt(f.Pointer)+" "+f.Message)
	}
	return oauth.InvalidRequest(strings.Join(said, "; ")).Because(err)
}

// memberAt names the member that makes the setting at pointer, or that setting.
func memberAt(pointer string) string {
	at, best := strings.TrimPrefix(pointer, "/settings"), 0
	name := "The setting " + at
	for _, m := range honouredMembers {
		if m.pointer != "" && len(m.pointer) > best && (at == m.pointer || strings.HasPrefix(at, m.pointer+"/")) {
			if name, best = m.name, len(m.pointer); at != m.pointer {
				name += " (" + dotted(at) + ")"
			}
		}
	}
	return name
}

// dotted is a pointer as people write it.
func dotted(pointer string) string {
	return strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
}

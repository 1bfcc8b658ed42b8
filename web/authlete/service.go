package authlete

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"time"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// serviceView is what the pages of an authorization server show of a tenant.
type serviceView struct {
	Key          int64  `json:"apiKey"`
	Number       int64  `json:"number"`
	Name         string `json:"serviceName"`
	AliasEnabled bool   `json:"clientIdAliasEnabled"`
	Attributes   []pair `json:"attributes,omitempty"`
}

func limitedService(t *tenant.Tenant) *serviceView {
	return &serviceView{Key: t.ServiceID, Number: t.ServiceID, Name: cmp.Or(t.Settings.Name, string(t.ID)), AliasEnabled: true,
		Attributes: attributes(t.Settings.Attributes)}
}

// view is the tenant of a record, to be told of at now.
func view(r *tenant.Record, now time.Time) *viewed {
	t := &tenant.Tenant{ID: r.ID, ServiceID: r.ServiceID, Version: r.Version, Issuer: r.Issuer, Settings: &r.Settings, Keys: keys.NewSet(r.Keys), Secret: r.Secret}
	return &viewed{Tenant: t, meta: discovery.MetadataOf(t, now), now: now, created: r.CreatedAt, modified: r.UpdatedAt}
}

// with is the same tenant with other settings.
func (v *viewed) with(s *tenant.Settings) *viewed {
	t := *v.Tenant
	t.Settings = s
	return &viewed{Tenant: &t, meta: discovery.MetadataOf(&t, v.now), now: v.now, created: v.created, modified: v.modified}
}

// object is the service as it is told, with the members that are sealed to who may see them. It holds no private key.
func (v *viewed) object(all bool) map[string]any {
	out := map[string]any{}
	for i := range serviceMembers {
		m := &serviceMembers[i]
		if told := m.told(v, all); !empty(told) {
			out[m.name] = told
		}
	}
	return out
}

// told is what is told of a member: what was given, as long as it means what there is.
func (m *serviceMember) told(v *viewed, all bool) any {
	raw, was := v.Settings.Service.Members[m.name]
	switch {
	case m.fate == sealed && (!was || !all):
		return nil
	case m.fate == sealed:
		return v.unsealed(m.name, raw)
	case m.fate == document && m.take != nil && empty(m.show(v)): // it was turned off
		return nil
	case was && (m.fate == kept || m.fate == document || m.means(v, raw)):
		return raw
	case m.show == nil:
		return nil
	}
	return m.show(v)
}

// means reports whether raw still says what the settings say.
func (m *serviceMember) means(v *viewed, raw json.RawMessage) bool {
	if m.fate != honoured || m.show == nil {
		return false
	}
	s := *v.Settings
	if m.take(&s, raw) != nil {
		return false
	}
	return same(m.show(v.with(&s)), m.show(v))
}

// same reports whether two values are told alike.
func same(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// sealing is what members that are secrets are encrypted for.
const sealing = "service member"

// sealed is raw as it is stored.
func (v *viewed) sealed(name string, raw json.RawMessage) json.RawMessage {
	b, _ := json.Marshal(v.Secret.Pseudonym(sealing, name, string(raw))) // a string always can be
	return b
}

// unsealed is what was sealed; nil where it cannot be read.
func (v *viewed) unsealed(name string, raw json.RawMessage) any {
	var stored string
	if json.Unmarshal(raw, &stored) != nil {
		return nil
	}
	plain, ok := v.Secret.RevealPseudonym(sealing, name, stored)
	if !ok || !json.Valid([]byte(plain)) {
		return nil
	}
	return json.RawMessage(plain)
}

func (d *Door) serviceGet(c *call) (int, any, error) {
	r, err := d.Console.Tenant(c.Request.Context(), c.tenant.ID)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, view(r, d.Now()).object(c.owner()), nil
}

// documentRequest asks for a document: how it is written, and what is changed in it.
type documentRequest struct {
	Pretty bool   `json:"pretty"`
	Patch  string `json:"patch"`
}

// document reads such a request from the query or the body.
func (c *call) document() (in documentRequest, err error) {
	if c.Request.Method == http.MethodPost && c.Request.ContentLength != 0 {
		return in, c.read(&in)
	}
	q, err := wire.Query(c.Context)
	if err != nil {
		return in, err
	}
	in.Patch = q.Get("patch")
	in.Pretty, err = boolean(q.Get("pretty"))
	return in, err
}

// configuration tells what the service says of itself (OpenID Connect Discovery 1.0 §3), with its own addresses.
func (d *Door) configuration(c *call) (int, any, error) {
	in, err := c.document()
	if err != nil {
		return 0, nil, err
	}
	doc, err := documentOf(c.tenant, d.Now())
	if err == nil && in.Patch != "" {
		doc, err = patched(doc, in.Patch)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, spaced(doc, in.Pretty), nil
}

// documentOf is the metadata of t, with what it says in the place of ours.
func documentOf(t *tenant.Tenant, now time.Time) ([]byte, error) {
	m := discovery.MetadataOf(t, now)
	doc, err := json.Marshal(m)
	if err != nil || len(t.Settings.Service.Members) == 0 {
		return doc, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil {
		return nil, err
	}
	for i := range documentMembers {
		d := &documentMembers[i]
		raw, was := t.Settings.Service.Members[d.name]
		if !was || d.doc.name == "" || d.doc.there != nil && !d.doc.there(&m) {
			continue
		}
		if members[d.doc.name], err = d.value(raw); err != nil {
			return nil, err
		}
	}
	return json.Marshal(members)
}

// jwks tells the public keys of the service. Private ones leave the server for nobody.
func (d *Door) jwks(c *call) (int, any, error) {
	in, err := c.document()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, spaced(c.tenant.Keys.JWKS(d.Now()), in.Pretty), nil
}

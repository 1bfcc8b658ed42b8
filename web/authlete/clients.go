package authlete

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// by is the authority of whoever calls: an administrator's.
func (c *call) by() registration.Authority {
	return registration.Master(wire.TokenOf(c.Context).ID, c.address())
}

// errLock: what locks a client takes effect, or says that it does not.
var errLock = contradiction("locked", "/client/lock_flag/update locks a client")

// clientShapes are the types of the members of a client.
var clientShapes = func() map[string]shape {
	out := map[string]shape{}
	for i := range clientMembers {
		out[clientMembers[i].name] = clientMembers[i].shape
	}
	return out
}()

// clientObject reads a client object, the alias it names, and whether it wants the client locked.
func (c *call) clientObject() (r registration.Request, alias string, locked bool, err error) {
	in, err := c.object(clientShapes)
	if err != nil {
		return r, "", false, err
	}
	if r, err = clientIn(in); err != nil {
		return r, "", false, err
	}
	if raw := in["clientIdAlias"]; given(raw) {
		if err := json.Unmarshal(raw, &alias); err != nil {
			return r, "", false, typed("clientIdAlias", err)
		}
	}
	r.By = c.by()
	return r, alias, demanded(in["locked"]), nil
}

// clientCreate registers a client. Its id is its number, unless it is given an alias. Its secret is in this answer alone.
func (d *Door) clientCreate(c *call) (int, any, error) {
	r, alias, locked, err := c.clientObject()
	if err != nil {
		return 0, nil, err
	}
	if locked {
		return 0, nil, errLock
	}
	if alias != "" && strings.Trim(alias, "0123456789") == "" {
		return 0, nil, oauth.InvalidRequest("clientIdAlias must not be a number")
	}
	r.PreferredID, r.Numbered = alias, alias == ""
	made, err := d.Clients.Register(c.Request.Context(), c.tenant, r)
	if err == nil {
		err = d.Changed(c.Request.Context())
	}
	if err != nil {
		return 0, nil, err
	}
	wire.EventOf(c.Context).Client(made.Client.ID)
	return http.StatusOK, clientOut(&made.Client, made.Secret), nil
}

// named returns the id of the client that the path names, by its number or its alias.
func (d *Door) named(c *call) (string, error) {
	id, err := d.Clients.Numbered(c.Request.Context(), c.tenant, c.Param("clientId"))
	if err == nil {
		wire.EventOf(c.Context).Client(id)
	}
	return id, err
}

func (d *Door) clientGet(c *call) (int, any, error) {
	id, err := d.named(c)
	if err != nil {
		return 0, nil, err
	}
	found, err := d.Clients.Read(c.Request.Context(), c.tenant, id, c.by())
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, clientOut(&found.Client, ""), nil
}

// clientUpdate replaces a client: what is left out gets its default. The alias is what the client's requests name, and
// stays.
func (d *Door) clientUpdate(c *call) (int, any, error) {
	r, alias, locked, err := c.clientObject()
	if err != nil {
		return 0, nil, err
	}
	id, err := d.named(c)
	if err != nil {
		return 0, nil, err
	}
	for n := 1; ; n++ {
		old, err := d.Clients.Read(c.Request.Context(), c.tenant, id, c.by())
		switch {
		case err != nil:
			return 0, nil, err
		case alias != "" && alias != id && alias != strconv.FormatInt(old.Client.Number, 10):
			return 0, nil, oauth.InvalidRequest("clientIdAlias cannot be changed")
		case locked && !old.Client.Disabled:
			return 0, nil, errLock
		}
		keep(&r.Metadata, &old.Client)
		updated, err := d.Clients.Update(c.Request.Context(), c.tenant, id, r)
		if d.again(c, n, err) {
			continue
		}
		if err == nil {
			err = d.Changed(c.Request.Context())
		}
		if err != nil {
			return 0, nil, err
		}
		return http.StatusOK, clientOut(&updated.Client, updated.Secret), nil
	}
}

// keep leaves alone what the API has no member for.
func keep(m *tenant.Metadata, old *tenant.Client) {
	m.PostLogoutRedirectURIs, m.Audience = old.PostLogoutRedirectURIs, old.Audience
	m.RefreshIdle, m.RefreshRotation, m.AccessFormat, m.ExchangeRights = old.RefreshIdle, old.RefreshRotation, old.AccessFormat, old.ExchangeRights
	m.ChallengeAuthMethod, m.MigrationMetadata = old.ChallengeAuthMethod, old.MigrationMetadata
	m.IntrospectionAlg, m.IntrospectionEncryptionAlg, m.IntrospectionEncryptionEnc = old.IntrospectionAlg, old.IntrospectionEncryptionAlg, old.IntrospectionEncryptionEnc
	m.FrontchannelLogoutURI, m.FrontchannelLogoutSID = old.FrontchannelLogoutURI, old.FrontchannelLogoutSID
	var data, sent map[string]json.RawMessage
	if json.Unmarshal(old.Data, &data) != nil {
		return
	}
	_ = json.Unmarshal(m.Data, &sent) // it was made of attributes, or is absent
	for name, v := range data {
		if v[0] == '"' {
			delete(data, name) // an attribute
		}
	}
	for name, v := range sent {
		data[name] = v
	}
	if m.Data = nil; len(data) > 0 {
		m.Data, _ = json.Marshal(data) // what was just read always can be
	}
}

func (d *Door) clientDelete(c *call) (int, any, error) {
	id, err := d.named(c)
	if err == nil {
		err = d.Clients.Delete(c.Request.Context(), c.tenant, id, c.tenant.Settings.LongestAccessToken(), c.by())
	}
	if err == nil {
		err = d.Changed(c.Request.Context())
	}
	return 0, nil, err
}

// clientPage is a page of the clients of a service.
type clientPage struct {
	Start     int              `json:"start"`
	End       int              `json:"end"`
	Developer string           `json:"developer,omitempty"`
	Total     int              `json:"totalCount"`
	Clients   []map[string]any `json:"clients"`
}

func (d *Door) clientList(c *call) (int, any, error) {
	start, end, err := c.page()
	if err != nil {
		return 0, nil, err
	}
	out := clientPage{Start: start, End: end, Developer: c.Query("developer"), Clients: []map[string]any{}}
	found, total, err := d.Clients.ListNumbered(c.Request.Context(), c.tenant, out.Developer, start, end-start, c.by())
	if err != nil {
		return 0, nil, err
	}
	out.Total = total
	for i := range found {
		out.Clients = append(out.Clients, clientOut(&found[i], ""))
	}
	return http.StatusOK, out, nil
}

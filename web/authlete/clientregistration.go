package authlete

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/web/wire"
)

// The actions of dynamic registration beside those of any call.
const (
	updated action = "UPDATED"
	deleted action = "DELETED"
)

// registrationRequest is what a client sent to the registration endpoints of the authorization server (RFC 7591, RFC 7592).
// The token is an initial access token at creation, which is the authorization server's to check, and else the client's own.
type registrationRequest struct {
	JSON     string `json:"json"`
	Token    string `json:"token"`
	ClientID string `json:"clientId"`
}

// registrationAnswer is the client's answer, and the client.
type registrationAnswer struct {
	result
	Client map[string]any `json:"client,omitempty"`
}

// registrationIn reads such a request, of which the members needed must be there.
func (c *call) registrationIn(needed ...string) (in registrationRequest, err error) {
	if err := c.read(&in); err != nil {
		return in, err
	}
	for _, name := range needed {
		if map[string]string{"json": in.JSON, "token": in.Token, "clientId": in.ClientID}[name] == "" {
			return in, oauth.InvalidRequest("The API call has no " + name + ".")
		}
	}
	return in, nil
}

// errRegistration is what a client is told where the service registers none.
var errRegistration = oauth.InvalidRequest("Dynamic registration of clients is not supported")

// unregistered answers a client whose request failed: where its token is wrong by what the service wants, and for a fault of
// ours not at all.
func (c *call) unregistered(err error) (answer, error) {
	if registration.IsConflict(err) { // the request was right, and others were faster
		err = oauth.Unavailable().Because(err)
	}
	if wire.StatusOf(err) >= http.StatusInternalServerError {
		return nil, err
	}
	e, a := oauth.ErrorOf(err), badRequest
	if e.Code == "invalid_token" && c.tenant.Settings.Service.Unauthorized && c.endpoint.path != registrationPath {
		a = unauthorized
	}
	r := c.refuse(c.outcome(clients, e.Description), a, refusal{err: e})
	return &r, nil
}

// registrationPath is that of the first of the calls.
const registrationPath = "/client/registration"

// customOf are the members of a registration that are kept for the service, as one text.
func (c *call) customOf(body string) (string, error) {
	var names []string
	if raw := c.tenant.Settings.Service.Members["supportedCustomClientMetadata"]; raw == nil || json.Unmarshal(raw, &names) != nil {
		return "", nil
	}
	members, err := objectIn("json", body)
	if err != nil {
		return "", err
	}
	for name, raw := range members {
		if !slices.Contains(names, name) || string(raw) == "null" {
			delete(members, name)
		}
	}
	if len(members) == 0 {
		return "", nil
	}
	b, err := json.Marshal(members)
	return string(b), err
}

// registrationOf is the request that a body asks for, and what is kept of it.
func (c *call) registrationOf(body string) (r registration.Request, custom string, err error) {
	if r, err = registration.Parse([]byte(body)); err != nil {
		return r, "", err
	}
	custom, err = c.customOf(body)
	return r, custom, err
}

// registered answers with a client.
func (c *call) registered(a action, text string, r registration.Response) (answer, error) {
	r.URI = c.clientURI(r.Client.ID)
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var custom string
	if raw := r.Client.Noted["customMetadata"]; raw != nil && json.Unmarshal(raw, &custom) == nil && custom != "" {
		if body, err = joined(body, custom); err != nil {
			return nil, err
		}
	}
	return &registrationAnswer{c.outcome(success, text).result(a, string(body)), clientOut(&r.Client, r.Secret)}, nil
}

// joined is an object with the members of another that it has not.
func joined(object []byte, more string) ([]byte, error) {
	var members, others map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return nil, err
	}
	if json.Unmarshal([]byte(more), &others) != nil {
		return object, nil // it was given as what it is by somebody else
	}
	for name, raw := range others {
		if _, has := members[name]; !has {
			members[name] = raw
		}
	}
	return json.Marshal(members)
}

// clientURI is where a client is managed (RFC 7592 §2): at the authorization server, if it says where.
func (c *call) clientURI(id string) string {
	for _, name := range []string{"registrationManagementEndpoint", "registrationEndpoint"} {
		var at string
		if raw := c.tenant.Settings.Service.Members[name]; raw != nil && json.Unmarshal(raw, &at) == nil && at != "" {
			return at + "/" + url.PathEscape(id)
		}
	}
	return c.tenant.Issuer + "/clients/" + url.PathEscape(id)
}

// registrationCreate registers a client for whom the authorization server lets. It may have what anybody may have.
func (d *Door) registrationCreate(c *call) (answer, error) {
	in, err := c.registrationIn("json")
	if err != nil {
		return nil, err
	}
	if !c.tenant.Settings.Service.Registration {
		return c.unregistered(errRegistration)
	}
	r, custom, err := c.registrationOf(in.JSON)
	if err != nil {
		return c.unregistered(err)
	}
	r.By, r.Numbered = registration.Backend(wire.TokenOf(c.Context).ID, c.address()), true
	r.Metadata.Noted = note(note(nil, "developer", "authlete_"+strconv.FormatInt(c.tenant.ServiceID, 10)), "customMetadata", custom)
	made, err := d.Clients.Register(c.Request.Context(), c.tenant, r)
	if err == nil {
		err = d.Changed(c.Request.Context())
	}
	if err != nil {
		return c.unregistered(err)
	}
	wire.EventOf(c.Context).Client(made.Client.ID)
	return c.registered(created, "The client is registered.", made)
}

// own returns the id of the client, and the authority of its registration access token.
func (d *Door) own(c *call, in registrationRequest) (id string, by registration.Authority, err error) {
	if !c.tenant.Settings.Service.Registration {
		return "", by, errRegistration
	}
	id, err = d.Clients.Numbered(c.Request.Context(), c.tenant, in.ClientID)
	wire.EventOf(c.Context).Client(id)
	return id, registration.Own(in.Token, c.address()), err
}

func (d *Door) registrationGet(c *call) (answer, error) {
	in, err := c.registrationIn("clientId", "token")
	if err != nil {
		return nil, err
	}
	id, by, err := d.own(c, in)
	if err != nil {
		return c.unregistered(err)
	}
	found, err := d.Clients.Read(c.Request.Context(), c.tenant, id, by)
	if err != nil {
		return c.unregistered(err)
	}
	return c.registered(okay, "The client is told of.", found)
}

// registrationUpdate replaces a client's metadata. Its registration access token stays.
func (d *Door) registrationUpdate(c *call) (answer, error) {
	in, err := c.registrationIn("clientId", "token", "json")
	if err != nil {
		return nil, err
	}
	id, by, err := d.own(c, in)
	if err != nil {
		return c.unregistered(err)
	}
	for n := 1; ; n++ {
		old, err := d.Clients.Read(c.Request.Context(), c.tenant, id, by)
		if err != nil {
			return c.unregistered(err)
		}
		r, custom, err := c.registrationOf(in.JSON)
		if err != nil {
			return c.unregistered(err)
		}
		r.By, r.Expect, r.RefreshToken = by, old.Client.UpdatedAt, false
		r.Metadata.Noted = note(old.Client.Noted, "customMetadata", custom)
		made, err := d.Clients.Update(c.Request.Context(), c.tenant, id, r)
		if d.again(c, n, err) {
			continue
		}
		if err == nil {
			err = d.Changed(c.Request.Context())
		}
		if err != nil {
			return c.unregistered(err)
		}
		return c.registered(updated, "The client is changed.", made)
	}
}

func (d *Door) registrationDelete(c *call) (answer, error) {
	in, err := c.registrationIn("clientId", "token")
	if err != nil {
		return nil, err
	}
	id, by, err := d.own(c, in)
	for n := 1; err == nil; n++ {
		err = d.Clients.Delete(c.Request.Context(), c.tenant, id, c.tenant.Settings.LongestAccessToken(), by)
		if !d.again(c, n, err) {
			break
		}
		err = nil
	}
	if err == nil {
		err = d.Changed(c.Request.Context())
	}
	if err != nil {
		return c.unregistered(err)
	}
	return &registrationAnswer{result: c.outcome(success, "The client is deleted.").result(deleted, "")}, nil
}

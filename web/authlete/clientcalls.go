package authlete

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
)

// The calls that change one thing of a client.

// told is the answer to a call that is done.
func (c *call) told(text string) result { return c.outcome(success, text).result("", "") }

// clientLock locks a client, whose requests are refused from then on, or unlocks it.
func (d *Door) clientLock(c *call) (int, any, error) {
	var in struct {
		Locked *bool `json:"clientLocked"`
	}
	if err := c.read(&in); err != nil {
		return 0, nil, err
	}
	if in.Locked == nil {
		return 0, nil, oauth.InvalidRequest("clientLocked is missing")
	}
	id, err := d.named(c)
	if err != nil {
		return 0, nil, err
	}
	for n := 1; ; n++ {
		_, err := d.Clients.SetDisabled(c.Request.Context(), c.tenant, id, *in.Locked, c.by())
		if d.again(c, n, err) {
			continue
		}
		if err == nil {
			err = d.Changed(c.Request.Context())
		}
		if err != nil {
			return 0, nil, err
		}
		break
	}
	return http.StatusOK, c.told(map[bool]string{true: "The client is locked.", false: "The client is not locked."}[*in.Locked]), nil
}

// secretAnswer tells a new secret. The old one is kept as a hash and cannot be told; it works for a while yet.
type secretAnswer struct {
	result
	Secret string `json:"newClientSecret"`
}

// again reports whether what failed with err is tried again: somebody else was faster, and what they did is seen now.
func (d *Door) again(c *call, n int, err error) bool {
	return registration.IsConflict(err) && n < tries && d.Changed(c.Request.Context()) == nil
}

// changed changes a client that it reads first, and reads again where somebody else was faster.
func (d *Door) changed(c *call, change func(old registration.Response) (registration.Request, error)) (registration.Response, error) {
	ctx := c.Request.Context()
	id, err := d.named(c)
	if err != nil {
		return registration.Response{}, err
	}
	for n := 1; ; n++ {
		old, err := d.Clients.Read(ctx, c.tenant, id, c.by())
		if err != nil {
			return old, err
		}
		r, err := change(old)
		if err != nil {
			return old, err
		}
		r.By, r.Expect = c.by(), old.Client.UpdatedAt
		made, err := d.Clients.Update(ctx, c.tenant, id, r)
		if d.again(c, n, err) {
			continue
		}
		if err == nil {
			err = d.Changed(ctx)
		}
		return made, err
	}
}

var errNoSecret = oauth.InvalidRequest("The client has no secret")

// newSecret gives a client a secret: the one asked for, or one of ours.
func (d *Door) newSecret(c *call, asked, text string) (int, any, error) {
	made, err := d.changed(c, func(old registration.Response) (registration.Request, error) {
		if !old.Client.Secretive() {
			return registration.Request{}, errNoSecret
		}
		return registration.Request{Metadata: old.Client.Metadata, RefreshSecret: asked == "", PreferredSecret: asked}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, secretAnswer{c.told(text), made.Secret}, nil
}

func (d *Door) secretRefresh(c *call) (int, any, error) {
	return d.newSecret(c, "", "The client has a new secret.")
}

// secretForm is what a secret may be made of here.
var secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,86}$`)

// shortestSecret is how long a secret must be that nobody shall guess.
const shortestSecret = 32

func (d *Door) secretUpdate(c *call) (int, any, error) {
	var in struct {
		Secret string `json:"clientSecret"`
	}
	if err := c.read(&in); err != nil {
		return 0, nil, err
	}
	switch {
	case !secretForm.MatchString(in.Secret):
		return 0, nil, oauth.InvalidRequest("clientSecret must be 1 to 86 letters, digits, hyphens and underscores")
	case len(in.Secret) < shortestSecret:
		return 0, nil, contradiction("clientSecret", "it can be guessed with less than 32 characters")
	}
	return d.newSecret(c, in.Secret, "The client has this secret now.")
}

// requestable are the scope values that a client may ask for, where they are enabled.
type requestable struct {
	Scopes []string `json:"requestableScopes,omitempty"`
}

func (d *Door) requestableGet(c *call) (int, any, error) {
	id, err := d.named(c)
	if err != nil {
		return 0, nil, err
	}
	found, err := d.Clients.Read(c.Request.Context(), c.tenant, id, c.by())
	return http.StatusOK, requestable{strings.Fields(found.Client.Scope)}, err
}

// rescope has a client ask for these scope values and no others, or for any where there are none.
func (d *Door) rescope(c *call, scopes []string) (registration.Response, error) {
	return d.changed(c, func(old registration.Response) (registration.Request, error) {
		m := old.Client.Metadata
		m.Scope = strings.Join(scopes, " ")
		return registration.Request{Metadata: m}, nil
	})
}

func (d *Door) requestableUpdate(c *call) (int, any, error) {
	var in requestable
	if err := c.read(&in); err != nil {
		return 0, nil, err
	}
	for _, v := range in.Scopes {
		if !oauth.ScopeValue(v) {
			return 0, nil, oauth.InvalidRequest("requestableScopes holds a value that is not allowed")
		}
	}
	if len(in.Scopes) == 0 {
		return 0, nil, oauth.InvalidRequest("requestableScopes must not be empty")
	}
	made, err := d.rescope(c, in.Scopes)
	return http.StatusOK, requestable{strings.Fields(made.Client.Scope)}, err
}

func (d *Door) requestableDelete(c *call) (int, any, error) {
	_, err := d.rescope(c, nil)
	return 0, nil, err
}

// note returns what was noted of a client with one more member, which is a text.
func note(had map[string]json.RawMessage, name, text string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for k, v := range had {
		out[k] = v
	}
	if delete(out, name); text != "" {
		out[name], _ = json.Marshal(text) // a text always can be
	}
	return out
}

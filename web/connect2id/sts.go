package connect2id

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/sts"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// stsWish is what a token is to say.
type stsWish struct {
	Template   string                     `json:"template"`
	ClientID   string                     `json:"client_id"`
	Sub        string                     `json:"sub"`
	Lifetime   int64                      `json:"lifetime"` // seconds
	Parameters map[string]json.RawMessage `json:"parameters"`
}

// stsToken is a token that was made.
type stsToken struct {
	Token     string `json:"token"`
	ExpiresIn int64  `json:"expires_in"` // seconds
}

// template is a kind of token, with the API that makes it.
type template struct {
	name string
	api  tenant.API
	make func(*sts.Service, context.Context, *tenant.Tenant, sts.Wish) (sts.Issued, error)
}

var templates = []template{
	{"JAR", tenant.RequestObjectAPI, (*sts.Service).RequestObject},
	{"private_key_jwt", tenant.ClientAssertionAPI, (*sts.Service).ClientAssertion},
	{"login_hint_token", tenant.LoginHintAPI, (*sts.Service).LoginHintToken},
}

var (
	errTemplate = oauth.InvalidRequest("template must be JAR, private_key_jwt or login_hint_token")
	errNoReach  = oauth.InsufficientScope("The token does not reach this template")
	errAppHints = &wire.Status{Err: oauth.AccessDenied("Apps get no login_hint_token, and nothing else"), HTTP: http.StatusForbidden}
	errAppSub   = oauth.InvalidRequest("sub is not the subject of the session")
)

// mountSTS registers the call that makes tokens: for those who hold an API token of the template, and for apps about their
// own user.
func (d *Door) mountSTS(r *wire.Router) {
	with := func(h func(*Door, *call) error) wire.Handler {
		return func(c *gin.Context, t *tenant.Tenant) {
			wire.EventOf(c).Flow("sts")
			if err := h(d, &call{Context: c, tenant: t, version: versions[len(versions)-1]}); err != nil {
				wire.Error(c, err)
			}
		}
	}
	apis := make([]tenant.API, len(templates))
	for i, m := range templates {
		apis[i] = m.api
	}
	r.APIsOr(http.MethodPost, "/sts/rest/v1/issuer", apis, with((*Door).makeToken), sidScheme, with((*Door).makeHint))
}

// wish reads what a token is to say.
func (c *call) wish() (*template, sts.Wish, error) {
	var in stsWish
	if err := wire.ReadStrictJSON(c.Context, maxBody, &in); err != nil {
		return nil, sts.Wish{}, err
	}
	wire.EventOf(c.Context).Client(in.ClientID)
	for i := range templates {
		if templates[i].name == in.Template {
			return &templates[i], sts.Wish{ClientID: in.ClientID, Subject: in.Sub, Lifetime: in.Lifetime, Parameters: in.Parameters}, nil
		}
	}
	return nil, sts.Wish{}, errTemplate
}

func (d *Door) make(c *call, m *template, w sts.Wish) error {
	out, err := m.make(d.STS, c.Request.Context(), c.tenant, w)
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, stsToken{out.Token, int64(out.ExpiresIn / time.Second)})
	return nil
}

// makeToken makes a token of a template that the API token reaches.
func (d *Door) makeToken(c *call) error {
	m, w, err := c.wish()
	if err != nil {
		return err
	}
	if !wire.TokenOf(c.Context).Reaches(m.api) {
		return errNoReach
	}
	return d.make(c, m, w)
}

// makeHint makes a login hint about the user of an app, where the tenant wants that.
func (d *Door) makeHint(c *call) error {
	sid, err := appSID(c)
	if err != nil {
		return err
	}
	q, err := d.CIBA.App(c.Request.Context(), c.tenant, sid)
	if err != nil {
		if wire.StatusOf(err) == http.StatusUnauthorized {
			c.Header("WWW-Authenticate", "SID")
		}
		return err
	}
	m, w, err := c.wish()
	switch {
	case err != nil:
		return err
	case m.api != tenant.LoginHintAPI || !c.tenant.Settings.CIBA.AppHints:
		return errAppHints
	case w.Subject != "" && w.Subject != q.Session.Subject:
		return errAppSub
	}
	w.Subject = q.Session.Subject
	return d.make(c, m, w)
}

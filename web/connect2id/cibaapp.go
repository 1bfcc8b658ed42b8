package connect2id

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// queued is a backchannel authentication as an app is shown it, which asks its user.
type queued struct {
	CallbackToken string `json:"callback_token"`
	cibaSession
}

// appAnswer is what the app's user answers: sub agrees, or with an error does not. How the user is authenticated is known of the
// app's session.
type appAnswer struct {
	Sub   string   `json:"sub"`
	Scope []string `json:"scope"`
	Error string   `json:"error"`
}

// mountApps registers the calls of native apps of the identity provider's, which have no API token: one shows the handle of
// its own session, or what it got for that.
func (d *Door) mountApps(r *wire.Router) {
	at := func(path, scheme string, h func(*Door, *call) error) {
		r.Public(http.MethodPost, "/ciba-sessions/rest/v1"+path, func(c *gin.Context, t *tenant.Tenant) {
			wire.EventOf(c).Flow("ciba session")
			if err := h(d, &call{Context: c, tenant: t, version: versions[0]}); err != nil {
				if wire.StatusOf(err) == http.StatusUnauthorized && scheme != "" {
					c.Header("WWW-Authenticate", scheme)
				}
				wire.Error(c, err)
			}
		})
	}
	at("/queue/poll", "SID", (*Door).pollQueue)
	at("/authorize", "", (*Door).answerForApp)
}

// sidScheme is the scheme by which an app shows the handle of its session, in lower case.
const sidScheme = "sid"

var (
	errNoAppSID  = oauth.MissingToken("The request has no SID of a session")
	errAppScheme = oauth.InvalidToken("The Authorization header holds no SID")
	errAppDenial = oauth.InvalidRequest("error must be access_denied, with nothing beside it")
	errAppLogin  = &wire.Status{Err: oauth.LoginRequired("The subject must authenticate again in the session of the app"), HTTP: http.StatusForbidden}
)

// appSID returns the handle that an app shows.
func appSID(c *call) (string, error) {
	scheme, sid, err := wire.Authorization(c.Context)
	switch {
	case err != nil:
		return "", err
	case scheme == "":
		return "", errNoAppSID
	case scheme != sidScheme:
		return "", errAppScheme
	}
	return sid, nil
}

// pollQueue lists what waits for the subject of the app's session, in turn of the clients.
func (d *Door) pollQueue(c *call) error {
	sid, err := appSID(c)
	if err != nil {
		return err
	}
	waiting, err := d.CIBA.Queue(c.Request.Context(), c.tenant, sid)
	if err != nil {
		return err
	}
	out := make([]queued, len(waiting))
	for i := range waiting {
		out[i] = queued{waiting[i].Callback, c.cibaSession(&waiting[i].Pending)}
	}
	wire.JSON(c.Context, http.StatusOK, out)
	return nil
}

// answerForApp takes the answer of the app's user to what the callback token reaches. The user must be authenticated as an
// authorization request would demand it.
func (d *Door) answerForApp(c *call) error {
	token, err := wire.Bearer(c.Context)
	switch {
	case err != nil:
		return err
	case token == "":
		return oauth.MissingToken("The request has no callback token")
	}
	q, err := d.CIBA.Callback(c.Request.Context(), c.tenant, token)
	if err != nil {
		return err
	}
	wire.EventOf(c.Context).Client(q.ClientID)
	var in appAnswer
	if err := wire.ReadStrictJSON(c.Context, maxBody, &in); err != nil {
		return err
	}
	a := ciba.Answer{Denied: in.Error != "", Subject: in.Sub, Scope: in.Scope, Address: c.address()}
	switch {
	case a.Denied && (in.Error != "access_denied" || in.Sub != "" || in.Scope != nil):
		return errAppDenial
	case !a.Denied && !authorize.Suffices(d.Now(), c.tenant.Settings, q.Request, q.Session, q.CreatedAt):
		return errAppLogin
	}
	if err := d.CIBA.Answer(c.Request.Context(), c.tenant, q, a); err != nil {
		return err
	}
	wire.NoContent(c.Context)
	return nil
}

package login

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/logout"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// aboutLogout is what the form of the logout page is about.
const aboutLogout = "logout"

// maxLogout is the longest request to log out that is moved into an address, in bytes.
const maxLogout = 8 << 10

// logoutParams are the parameters of a request to log out (RP-Initiated Logout §2) that its page hands on.
var logoutParams = []string{"id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"}

// signout is the content of the pages about logout.
type signout struct {
	Who    person
	Fields [][2]string // the request, by name and value
	Key    string      // text of what was done
	Frames []string    // URLs that relying parties want loaded
	To     string      // where the browser goes next; empty: nowhere
	Client string
}

// askLogout ends the browser's session, or asks whether to (RP-Initiated Logout §2).
func (u *UI) askLogout(c *gin.Context, t *tenant.Tenant) {
	sent, err := wire.Query(c)
	if err != nil {
		u.fail(c, t, err)
		return
	}
	p, err := u.beginLogout(c, t, sent)
	if err != nil {
		u.fail(c, t, err)
		return
	}
	if !p.Confirm {
		u.end(c, t, p)
		return
	}
	pg := u.page(c, t, &request.Request{UILocales: p.UILocales})
	in := signout{}
	if in.Who, err = u.person(c, t, p.Session.Subject); err != nil {
		u.fail(c, t, err)
		return
	}
	for _, name := range logoutParams {
		if sent.Has(name) {
			in.Fields = append(in.Fields, [2]string{name, sent.Get(name)})
		}
	}
	pg.CSRF = csrf(t, u.Binding(c, t), aboutLogout, 0)
	pg.Title = pg.Plain("logout.title")
	pg.Body = in
	render(c, http.StatusOK, "logout", pg, "form-action "+formAction(p.To()))
}

// logout takes the answer of the page, or a relying party's request.
func (u *UI) logout(c *gin.Context, t *tenant.Tenant) {
	sent, err := wire.Form(c, maxForm)
	if err != nil {
		u.fail(c, t, err)
		return
	}
	if !sent.Has("csrf") && !sent.Has("action") {
		u.moveLogout(c, t, sent)
		return
	}
	f, ok := u.guard(c, t, aboutLogout, sent)
	if !ok {
		return
	}
	p, err := u.beginLogout(c, t, f.Values)
	if err != nil {
		u.fail(c, t, err)
		return
	}
	switch f.Get("action") {
	case "logout":
		u.end(c, t, p)
	case "cancel":
		u.done(c, t, p, "stayed")
	default:
		u.Error(c, t, http.StatusBadRequest, errAction)
	}
}

// moveLogout has the browser ask again by GET: what another site's form posts comes without our cookies.
func (u *UI) moveLogout(c *gin.Context, t *tenant.Tenant, sent url.Values) {
	q := url.Values{}
	for _, name := range logoutParams {
		if sent.Has(name) {
			q.Set(name, sent.Get(name))
		}
	}
	at := base(t) + logoutPath
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	if len(at) > maxLogout {
		u.fail(c, t, wire.TooLarge())
		return
	}
	redirect(c, at)
}

// beginLogout validates a request to log out.
func (u *UI) beginLogout(c *gin.Context, t *tenant.Tenant, sent url.Values) (logout.Prompt, error) {
	p, err := u.Logout.Begin(c.Request.Context(), t, logout.Request{IDTokenHint: sent.Get("id_token_hint"), LogoutHint: sent.Get("logout_hint"), ClientID: sent.Get("client_id"),
		PostLogoutRedirectURI: sent.Get("post_logout_redirect_uri"), State: sent.Get("state"), UILocales: sent.Get("ui_locales"), SID: u.SID(c, t)})
	if err == nil && p.Client != nil {
		wire.EventOf(c).Client(p.Client.ID)
	}
	return p, err
}

// end ends the session of p, and sends the browser on where the client wants it back.
func (u *UI) end(c *gin.Context, t *tenant.Tenant, p logout.Prompt) {
	ended, err := u.Logout.End(c.Request.Context(), t, p, address(c))
	if err != nil {
		u.fail(c, t, err)
		return
	}
	if u.SID(c, t) != "" {
		u.Signed(c, t, "")
	}
	switch {
	case len(ended.Frames) > 0:
		u.tell(c, t, p, ended)
	case ended.To != "":
		redirect(c, ended.To)
	default:
		u.done(c, t, p, "signedout")
	}
}

// tellingTime is how long the browser has to load what relying parties want loaded, in seconds.
const tellingTime = "3"

// tell has the browser load what relying parties want loaded, and then go on (Front-Channel Logout §3). They may run
// scripts in frames of their own origin, and do nothing to the page around them.
func (u *UI) tell(c *gin.Context, t *tenant.Tenant, p logout.Prompt, ended logout.Ended) {
	pg := u.page(c, t, &request.Request{UILocales: p.UILocales})
	pg.Title = pg.Plain("signedout.title")
	in := signout{Client: pg.clientName(p.Client)}
	sources := "frame-src"
	for _, uri := range ended.Frames {
		if origin := formAction(uri); strings.HasPrefix(origin, "'self' http") { // other schemes, of native applications, would leave the page
			sources += strings.TrimPrefix(origin, "'self'")
			in.Frames = append(in.Frames, uri)
		}
	}
	if in.To = string(formTarget(ended.To)); in.To != "" {
		c.Header("Refresh", tellingTime+"; url="+in.To)
	}
	pg.Body = in
	wire.NoStore(c)
	render(c, http.StatusOK, "signedout", pg, sources+"; form-action 'none'")
}

// done says what became of a wish to sign out.
func (u *UI) done(c *gin.Context, t *tenant.Tenant, p logout.Prompt, key string) {
	pg := u.page(c, t, &request.Request{UILocales: p.UILocales})
	pg.Title = pg.Plain(key + ".title")
	pg.Body = signout{Key: key}
	render(c, http.StatusOK, "done", pg, "form-action 'none'")
}

// Target is To as the address of a link.
func (s signout) Target() template.URL { return formTarget(s.To) }

package login

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// notice is the content of an error page.
type notice struct {
	Key       string // of its texts
	Wait      string // how long to wait, in words; empty: not known
	Back      string // path of the page to try again; empty: none
	Err       *oauth.Error
	Reference string // under which the request is recorded
}

// notices are the texts of error pages by status.
var notices = map[int]string{
	http.StatusForbidden:           "forged",
	http.StatusNotFound:            "missing",
	http.StatusTooManyRequests:     "slow",
	http.StatusInternalServerError: "fault",
	http.StatusServiceUnavailable:  "busy",
}

// passing are the texts of what may go well when it is tried again.
var passing = []string{"forged", "slow", "fault", "busy"}

// Error answers with a page that says what went wrong and what to do. t may be nil, err as well.
func (u *UI) Error(c *gin.Context, t *tenant.Tenant, status int, err *oauth.Error) {
	key := notices[status]
	if key == "" {
		key = "bad"
	}
	u.notice(c, t, status, key, err)
}

// fail answers with the page for err.
func (u *UI) fail(c *gin.Context, t *tenant.Tenant, err error) {
	if authorize.IsGone(err) {
		u.notice(c, t, http.StatusNotFound, "gone", errGone.Because(err))
		return
	}
	u.Error(c, t, wire.StatusOf(err), oauth.ErrorOf(err))
}

// Why a page is refused, for the details.
var (
	errGone     = oauth.InvalidRequest("The interaction is unknown, finished or expired, or belongs to another browser")
	errStranger = oauth.InvalidRequest("The browser sent no cookie")
	errForeign  = oauth.InvalidRequest("The form was sent by another site")
	errForged   = oauth.InvalidRequest("The form was not made for this browser")
	errAction   = oauth.InvalidRequest("action is missing or unknown")
)

// stranger is the answer to a browser without our cookie.
func (u *UI) stranger(c *gin.Context, t *tenant.Tenant) {
	u.notice(c, t, http.StatusNotFound, "stranger", errStranger)
}

// notice answers with the page of that text.
func (u *UI) notice(c *gin.Context, t *tenant.Tenant, status int, key string, err *oauth.Error) {
	p := u.page(c, t, nil)
	p.Title = p.Plain(key + ".title")
	n := notice{Key: key, Err: err, Reference: wire.EventOf(c).RequestID()}
	if err == nil {
		wire.Wait(c, status, nil)
	} else {
		wire.EventOf(c).Fail(err)
		n.Wait = p.wait(oauth.RetryAfter(err))
		wire.Wait(c, status, err)
	}
	if path := pathOf(c); t != nil && path != "" && slices.Contains(passing, key) {
		n.Back = p.Issuer + path
	}
	p.Body = n
	render(c, status, "notice", p, "form-action 'none'")
}

// pathOf is the path of the page that the request was made to or sent from, below the issuer; empty: it is none of ours.
func pathOf(c *gin.Context) string {
	if handle := secret(c.Param("handle")); handle != "" {
		return interactionPath + handle
	}
	for _, path := range []string{logoutPath, devicePath, requestsPath} {
		if strings.TrimSuffix(c.FullPath(), "/") == path {
			return path
		}
	}
	return ""
}

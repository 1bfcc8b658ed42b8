package login

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// checkPath is where the frame lies that watches the session.
const checkPath = discovery.CheckSession

// stateCookie holds what the frame may know of the session, see session.BrowserState.
const stateCookie cookie = "chy-c-"

// watcher is the script of the frame (Session Management §3.2). It answers with one of three words, to the origin that
// asked, and only a page of the origin that session_state was made for ever hears that nothing has changed.
const watcher = `const cookie = NAME
addEventListener("message", async (e) => {
  if (!e.source || e.source === window || e.origin === "null" || typeof e.data !== "string") return
  const i = e.data.lastIndexOf(" "), state = e.data.slice(i + 1), salt = state.split(".")[1]
  if (i < 1 || !salt) { e.source.postMessage("error", e.origin); return }
  const own = document.cookie.split("; ").find((c) => c.startsWith(cookie))
  const text = [e.data.slice(0, i), e.origin, own ? own.slice(cookie.length) : "", salt].join(" ")
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))
  const hex = Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join("")
  e.source.postMessage(hex + "." + salt === state ? "unchanged" : "changed", e.origin)
})`

var frame = template.Must(template.New("frame").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Session</title><script>{{.}}</script></html>
`))

// checkSession is the frame in which applications watch the session, where the tenant lets them.
func (u *UI) checkSession(c *gin.Context, t *tenant.Tenant) {
	if !t.Settings.ChecksSession() {
		u.notice(c, t, http.StatusNotFound, "missing", oauth.NotFound("there is no such page"))
		return
	}
	script := strings.Replace(watcher, "NAME", `"`+u.cookieName(t, stateCookie)+`="`, 1)
	var b strings.Builder
	if err := frame.Execute(&b, template.JS(script)); err != nil {
		panic(err) // the template is ours
	}
	// Whoever asks may have it in a frame: which origins it answers, session_state tells.
	c.Header("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors *; script-src "+sourceHash(script))
	c.Writer.Header().Del("X-Frame-Options")
	wire.Raw(c, http.StatusOK, "text/html; charset=utf-8", []byte(b.String()))
}

// watched tells the browser what our frame may know of its session, or that there is none.
func (u *UI) watched(c *gin.Context, t *tenant.Tenant, sid string) {
	if !t.Settings.ChecksSession() {
		return
	}
	ck := http.Cookie{Name: u.cookieName(t, stateCookie), Path: "/", Secure: !u.plain(t), SameSite: http.SameSiteNoneMode}
	if u.plain(t) {
		ck.SameSite = http.SameSiteLaxMode // without Secure no browser takes the other
	}
	if ck.MaxAge = -1; sid != "" {
		ck.Value, ck.MaxAge = session.BrowserState(t, sid), 0
	}
	c.Writer.Header().Add("Set-Cookie", ck.String())
}

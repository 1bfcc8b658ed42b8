package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// UI serves the pages.
type UI struct {
	API    *API
	Users  *users
	Secure bool // browsers reach us by https
	Now    func() time.Time
	Log    *slog.Logger

	mu      sync.Mutex
	pending map[string]*pending
}

const (
	maxQuery = 32 << 10
	maxForm  = 8 << 10
)

// Handler returns the handler of all pages. Forms are taken from our own pages only. The authorization endpoint is
// outside of that rule: any site may send its users there, also by a form.
func (u *UI) Handler() http.Handler {
	var own http.CrossOriginProtection
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", u.authorize)
	mux.HandleFunc("POST /authorize", u.authorize)
	mux.HandleFunc("GET /sign-in/{handle}", u.ask)
	mux.Handle("POST /sign-in/{handle}", own.Handler(http.HandlerFunc(u.answer)))
	mux.HandleFunc("GET /style.css", u.style)
	return mux
}

// authorize is the authorization endpoint (RFC 6749 §3.1). It reads nothing of the request: that is the API's work.
func (u *UI) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.RawQuery
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuery))
		if err != nil {
			u.fail(w, r, http.StatusRequestEntityTooLarge, "This request is too long.", err)
			return
		}
		query = string(body)
	}
	step, err := u.API.Start(r.Context(), query, u.cookie(r, sessionCookie))
	if err != nil {
		u.fail(w, r, http.StatusBadGateway, "Signing in does not work just now. Please try again.", err)
		return
	}
	u.follow(w, r, "", step)
}

// follow does what the API answered.
func (u *UI) follow(w http.ResponseWriter, r *http.Request, handle string, s Step) {
	switch s.Type {
	case "auth", "consent":
		if sid := s.SubSession.SID; s.Type == "consent" && sid != "" {
			u.setCookie(w, sessionCookie, sid) // also while the user was not asked to sign in: the value may be new
		}
		if handle == "" {
			var err error
			if handle, err = u.begin(w, r, s); err != nil {
				u.fail(w, r, http.StatusServiceUnavailable, "Signing in does not work just now. Please try again.", err)
				return
			}
		} else {
			u.move(handle, func(p *pending) { p.Step, p.CSRF, p.Notice = s, rand.Text(), "" })
		}
		redirect(w, r, "/sign-in/"+handle)
	case "response":
		u.drop(handle)
		if s.SubSID != "" {
			u.setCookie(w, sessionCookie, s.SubSID)
		}
		if s.Mode == "form_post" {
			u.formPost(w, r, s)
			return
		}
		redirect(w, r, s.Parameters.URI)
	default:
		// The client or its redirect URI is not known. Sending the browser there would make this page an open redirector.
		u.drop(handle)
		u.fail(w, r, http.StatusBadRequest, "The app sent a request that cannot be answered ("+s.Error+").", errors.New(s.Error+": "+s.Description))
	}
}

// begin keeps a request that waits for its user, and ties it to the browser.
func (u *UI) begin(w http.ResponseWriter, r *http.Request, s Step) (handle string, err error) {
	to, err := u.API.RedirectURI(r.Context(), s.SID)
	if err != nil {
		return "", err
	}
	browser := u.cookie(r, browserCookie)
	if browser == "" {
		browser = rand.Text()
		u.setCookie(w, browserCookie, browser)
	}
	p := &pending{Step: s, Username: s.LoginHint, browser: sha256.Sum256([]byte(browser)), returns: origin(to)}
	if handle = u.hold(p); handle == "" {
		return "", errors.New("too many requests are waiting")
	}
	return handle, nil
}

// ask shows the page of a request: sign-in or consent.
func (u *UI) ask(w http.ResponseWriter, r *http.Request) {
	p, ok := u.held(r.PathValue("handle"), u.cookie(r, browserCookie))
	if !ok {
		u.fail(w, r, http.StatusNotFound, "This sign-in has ended. Please go back to the app and start again.", nil)
		return
	}
	page := "sign-in"
	if p.Step.Type == "consent" {
		page = "consent"
	}
	u.show(w, http.StatusOK, page, p, "form-action 'self' "+p.returns)
}

// answer takes what the user answered.
func (u *UI) answer(w http.ResponseWriter, r *http.Request) {
	handle := r.PathValue("handle")
	p, ok := u.held(handle, u.cookie(r, browserCookie))
	if !ok {
		u.fail(w, r, http.StatusNotFound, "This sign-in has ended. Please go back to the app and start again.", nil)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		u.fail(w, r, http.StatusBadRequest, "The form could not be read.", err)
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("csrf")), []byte(p.CSRF)) != 1 {
		u.fail(w, r, http.StatusForbidden, "The form is out of date. Please go back and try again.", nil)
		return
	}
	step, err := u.act(r.Context(), r.PostForm, p.Step)
	switch {
	case errors.Is(err, errDenied):
		u.again(w, r, handle, "The user name or the password is wrong.")
	case errors.Is(err, errTooMany):
		u.again(w, r, handle, "There were too many attempts. Please wait a minute.")
	case errors.Is(err, errAction):
		u.fail(w, r, http.StatusBadRequest, "The form could not be read.", err)
	case errors.Is(err, errGone):
		u.drop(handle)
		u.fail(w, r, http.StatusNotFound, "This sign-in has ended. Please go back to the app and start again.", err)
	case err != nil:
		u.fail(w, r, http.StatusBadGateway, "Signing in does not work just now. Please try again.", err)
	case step.Type == "auth":
		u.again(w, r, handle, "The app asks for a stronger sign-in than this page has.")
	default:
		u.follow(w, r, handle, step)
	}
}

var errAction = errors.New("the form's action is not known, or not due")

// act tells the API what the user answered to s.
func (u *UI) act(ctx context.Context, form url.Values, s Step) (Step, error) {
	switch action := form.Get("action"); {
	case action == "login" && s.Type == "auth":
		sub, err := u.Users.verify(ctx, u.Now(), form.Get("username"), form.Get("password"))
		if err != nil {
			return Step{}, err
		}
		return u.API.Authenticated(ctx, s.SID, sub)
	case action == "allow" && s.Type == "consent":
		offline := slices.Contains(s.Scope.New, "offline_access") || slices.Contains(s.Scope.Consented, "offline_access")
		return u.API.Consented(ctx, s.SID, offline)
	case action == "cancel":
		return u.API.Denied(ctx, s.SID)
	}
	return Step{}, errAction
}

// again shows the page once more, with what went wrong.
func (u *UI) again(w http.ResponseWriter, r *http.Request, handle, notice string) {
	u.move(handle, func(p *pending) { p.Notice, p.Username = notice, r.PostForm.Get("username") })
	redirect(w, r, "/sign-in/"+handle)
}

// redirect answers 303, so that the browser never posts a form on to where it goes (RFC 9700 §4.12).
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	headers(w, "form-action 'none'")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// origin is what a content security policy allows for uri: its origin, or its scheme where it is an app's own.
func origin(uri string) string {
	parsed, err := url.Parse(uri)
	switch {
	case err != nil || parsed.Scheme == "" || strings.ContainsAny(parsed.Host, " ;,'\""):
		return ""
	case parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http":
		return parsed.Scheme + ":"
	}
	return parsed.Scheme + "://" + parsed.Host
}

package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"
)

// authorization is what the API says of an authorization request.
type authorization struct {
	Answer
	Ticket       string        `json:"ticket"` // never shown to a browser
	Client       clientDetails `json:"client"`
	Prompts      []string      `json:"prompts"`
	MaxAge       int64         `json:"maxAge"` // in seconds, 0: any; for max_age=0 there is LOGIN among the prompts
	ACRs         []string      `json:"acrs"`
	ACREssential bool          `json:"acrEssential"`
	Subject      string        `json:"subject"` // only this one will do
	LoginHint    string        `json:"loginHint"`
	Scopes       []named       `json:"scopes"`
	Claims       []string      `json:"claims"` // wanted in the ID token
}

type clientDetails struct {
	clientRef
	Name string `json:"clientName"`
}

// interaction is an authorization request that waits for its user.
type interaction struct {
	authorization
	SignedIn bool // for this request, not only for one before
}

// authorize is the authorization endpoint (RFC 6749 §3.1). It reads nothing of the request: that is the API's work.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	parameters := r.URL.RawQuery
	if r.Method == http.MethodPost {
		var err error
		if parameters, err = rawForm(w, r); err != nil {
			s.fail(w, r, http.StatusBadRequest, "This request could not be read.", err)
			return
		}
	}
	var a authorization
	if err := s.API.Call(r.Context(), "/auth/authorization", map[string]string{"parameters": parameters}, &a); err != nil {
		s.fail(w, r, http.StatusServiceUnavailable, tryAgain, err)
		return
	}
	switch a.Action {
	case "NO_INTERACTION":
		who := s.signedIn(r)
		if reason := s.missing(&interaction{authorization: a}, who); reason != "" {
			s.refuse(w, r, &a, reason)
			return
		}
		s.issue(w, r, &a, who)
	case "INTERACTION":
		handle := rand.Text()
		if !s.asking.put(s.Now(), s.browser(w, r)+handle, interaction{authorization: a}, patience) {
			s.fail(w, r, http.StatusServiceUnavailable, tryAgain, errors.New("too many requests are waiting"))
			return
		}
		redirect(w, r, "/sign-in/"+handle)
	default:
		s.respond(w, r, a.Answer)
	}
}

// missing says what stands between a request and its grant, as a reason to refuse it where nobody may be asked; empty if
// nothing does.
func (s *Server) missing(a *interaction, who *session) string {
	switch {
	case who == nil:
		return "NOT_LOGGED_IN"
	case a.MaxAge > 0 && !a.SignedIn && s.Now().After(who.AuthTime.Add(time.Duration(a.MaxAge)*time.Second)):
		return "EXCEEDS_MAX_AGE"
	case a.Subject != "" && a.Subject != who.User.Sub:
		return "DIFFERENT_SUBJECT"
	case a.ACREssential && len(a.ACRs) > 0: // we know passwords only, and no name for that
		return "ACR_NOT_SATISFIED"
	}
	allowed, _ := s.consents.get(s.Now(), consentOf(&a.authorization, who))
	for _, scope := range a.Scopes {
		if !slices.Contains(allowed, scope.Name) {
			return "CONSENT_REQUIRED"
		}
	}
	return ""
}

// consentOf is the key of what the user allowed the client.
func consentOf(a *authorization, who *session) string {
	return who.User.Sub + " " + a.Client.String()
}

// issue ends a request with what its user granted: all that was asked.
func (s *Server) issue(w http.ResponseWriter, r *http.Request, a *authorization, who *session) {
	s.end(w, r, "/auth/authorization/issue", map[string]any{
		"ticket": a.Ticket, "subject": who.User.Sub, "authTime": who.AuthTime.Unix(), "claims": who.User.claims(a.Claims),
	})
}

// refuse ends a request without a grant.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, a *authorization, reason string) {
	s.end(w, r, "/auth/authorization/fail", map[string]any{"ticket": a.Ticket, "reason": reason})
}

func (s *Server) end(w http.ResponseWriter, r *http.Request, path string, in map[string]any) {
	var a Answer
	if err := s.API.Call(r.Context(), path, in, &a); err != nil {
		s.fail(w, r, http.StatusServiceUnavailable, tryAgain, err)
		return
	}
	s.respond(w, r, a)
}

// respond answers the browser with what the API made. An error that must not reach the client is shown: sending the
// browser anywhere would make this endpoint an open redirector.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, a Answer) {
	switch a.Action {
	case "LOCATION":
		redirect(w, r, a.Content)
	case "FORM":
		s.form(w, a.Content)
	case "BAD_REQUEST", "INTERNAL_SERVER_ERROR":
		var e struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal([]byte(a.Content), &e) // what is no JSON leaves it empty
		s.fail(w, r, statuses[a.Action], "The app's request cannot be answered: "+e.Code+" "+e.Description, errors.New(a.Code))
	default:
		s.fail(w, r, http.StatusServiceUnavailable, tryAgain, errors.New("unexpected action "+a.Action))
	}
}

package main

import (
	"errors"
	"net/http"
	"slices"
)

// step is what a request waits for: a page, or with no page the end, which is a refusal where there is a reason.
func (s *Server) step(q *interaction, who *session) (page, reason string) {
	again := slices.ContainsFunc(q.Prompts, func(p string) bool { return p != "CONSENT" })
	switch reason = s.missing(q, who); {
	case reason == "ACR_NOT_SATISFIED":
		return "", reason
	case reason != "" && reason != "CONSENT_REQUIRED", again && !q.SignedIn:
		return "sign-in", reason
	case reason != "", slices.Contains(q.Prompts, "CONSENT"):
		return "consent", reason
	}
	return "", ""
}

// ask shows the page of a request, or ends it where there is nothing left to ask.
func (s *Server) ask(w http.ResponseWriter, r *http.Request) {
	if q, key, ok := s.held(w, r); ok {
		s.proceed(w, r, q, key, "")
	}
}

// held returns the request that waits in this browser behind the handle in the path; without one it has answered.
func (s *Server) held(w http.ResponseWriter, r *http.Request) (*interaction, string, bool) {
	key := s.cookie(r, browserCookie) + r.PathValue("handle")
	q, ok := s.asking.get(s.Now(), key)
	if !ok {
		s.fail(w, r, http.StatusNotFound, "This sign-in has ended. Please go back to the app and start again.", nil)
	}
	return &q, key, ok
}

// proceed shows the page that is due, or ends the request.
func (s *Server) proceed(w http.ResponseWriter, r *http.Request, q *interaction, key, notice string) {
	who := s.signedIn(r)
	page, reason := s.step(q, who)
	switch {
	case page != "":
		if reason == "DIFFERENT_SUBJECT" && q.SignedIn && notice == "" {
			notice = "The app asks for another user."
		}
		data := asked{Interaction: q, Notice: notice, Username: q.LoginHint}
		if who != nil {
			data.Who = who.User
		}
		if name := r.PostForm.Get("username"); name != "" {
			data.Username = name
		}
		s.show(w, http.StatusOK, page, data)
	case reason != "":
		s.asking.drop(key)
		s.refuse(w, r, &q.authorization, reason)
	default:
		s.asking.drop(key)
		s.issue(w, r, &q.authorization, who)
	}
}

// asked is what the pages show.
type asked struct {
	Interaction *interaction
	Who         *user
	Notice      string
	Username    string
}

// answered takes what the user answered.
func (s *Server) answered(w http.ResponseWriter, r *http.Request) {
	q, key, ok := s.held(w, r)
	if !ok || !s.parse(w, r) {
		return
	}
	who := s.signedIn(r)
	page, _ := s.step(q, who)
	switch action := r.PostForm.Get("action"); {
	case action == "login" && page == "sign-in":
		if err := s.signIn(w, r); err != nil {
			s.proceed(w, r, q, key, notice(err))
			return
		}
		q.SignedIn = true
		s.asking.put(s.Now(), key, *q, patience)
		redirect(w, r, r.URL.Path)
	case action == "allow" && page == "consent":
		if r.PostForm.Get("sub") != who.User.Sub { // somebody else has signed in since the page was shown
			redirect(w, r, r.URL.Path)
			return
		}
		var allowed []string
		for _, scope := range q.Scopes {
			allowed = append(allowed, scope.Name)
		}
		before, _ := s.consents.get(s.Now(), consentOf(&q.authorization, who))
		s.consents.put(s.Now(), consentOf(&q.authorization, who), append(allowed, before...), consentLife)
		s.asking.drop(key)
		s.issue(w, r, &q.authorization, who)
	case action == "cancel":
		s.asking.drop(key)
		s.refuse(w, r, &q.authorization, "DENIED")
	default:
		redirect(w, r, r.URL.Path) // the page is out of date
	}
}

// maxPage is the longest form of our own pages, in bytes.
const maxPage = 8 << 10

// parse reads a form of our pages; where it cannot, it has answered.
func (s *Server) parse(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxPage)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, http.StatusBadRequest, "The form could not be read.", err)
		return false
	}
	return true
}

// notice says what went wrong with a sign-in.
func notice(err error) string {
	switch {
	case errors.Is(err, errDenied):
		return "The user name or the password is wrong."
	case errors.Is(err, errTooMany):
		return "There were too many attempts. Please wait a minute."
	}
	return tryAgain
}

package main

import (
	"crypto/rand"
	"errors"
	"net/http"
	"time"
)

// request is a backchannel authentication request that is acknowledged and waits for its user.
type request struct {
	Ticket     string
	Sub        string
	ClientName string
	Message    string // shown on both devices, so that the user sees that they belong together
	Scopes     []named
	Claims     []string
}

// backchannelAnswer is what the API says of such a request.
type backchannelAnswer struct {
	Answer
	clientRef
	Ticket           string   `json:"ticket"`
	ClientName       string   `json:"clientName"`
	HintType         string   `json:"hintType"`
	Hint             string   `json:"hint"`
	Sub              string   `json:"sub"`
	BindingMessage   string   `json:"bindingMessage"`
	UserCode         string   `json:"userCode"`
	UserCodeRequired bool     `json:"userCodeRequired"`
	Scopes           []named  `json:"scopes"`
	Claims           []string `json:"claimNames"`
}

// backchannel is the backchannel authentication endpoint (CIBA Core §7).
func (s *Server) backchannel(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	var a backchannelAnswer
	if err := s.API.Call(r.Context(), "/backchannel/authentication", in, &a); err != nil {
		s.unavailable(w, r, err)
		return
	}
	if a.Action != "USER_IDENTIFICATION" {
		s.reply(w, r, a.Answer)
		return
	}
	sub, reason := s.identify(&a)
	if reason != "" {
		s.refuseBackchannel(w, r, a.Ticket, reason)
		return
	}
	s.acknowledge(w, r, &a, sub)
}

// identify finds the user whom a request is about, or says why it cannot go on.
func (s *Server) identify(a *backchannelAnswer) (sub, reason string) {
	switch {
	case a.UserCodeRequired, a.UserCode != "":
		return "", "INVALID_USER_CODE" // none of our users has one
	case a.HintType == "LOGIN_HINT":
		sub = s.Users.find(a.Hint).Sub
	case a.HintType == "ID_TOKEN_HINT":
		sub = s.Users.of(a.Sub).Sub
	}
	if sub == "" { // also for a hint token: we have agreed on none with anybody
		return "", "UNKNOWN_USER_ID"
	}
	return sub, ""
}

// acknowledge gives the client its auth_req_id, and puts the request before its user.
func (s *Server) acknowledge(w http.ResponseWriter, r *http.Request, a *backchannelAnswer, sub string) {
	var issued struct {
		Answer
		ExpiresIn int64 `json:"expiresIn"` // in seconds
	}
	if err := s.API.Call(r.Context(), "/backchannel/authentication/issue", map[string]string{"ticket": a.Ticket}, &issued); err != nil {
		s.unavailable(w, r, err)
		return
	}
	if issued.Action == "OK" {
		wait := request{Ticket: a.Ticket, Sub: sub, ClientName: a.ClientName, Message: a.BindingMessage, Scopes: a.Scopes, Claims: a.Claims}
		if wait.ClientName == "" {
			wait.ClientName = a.clientRef.String()
		}
		if !s.requests.put(s.Now(), rand.Text(), wait, time.Duration(issued.ExpiresIn)*time.Second) {
			s.refuseBackchannel(w, r, a.Ticket, "SERVER_ERROR")
			return
		}
	}
	s.reply(w, r, issued.Answer)
}

func (s *Server) refuseBackchannel(w http.ResponseWriter, r *http.Request, ticket, reason string) {
	var a Answer
	if err := s.API.Call(r.Context(), "/backchannel/authentication/fail", map[string]string{"ticket": ticket, "reason": reason}, &a); err != nil {
		s.unavailable(w, r, err)
		return
	}
	s.reply(w, r, a)
}

// waiting shows a user what waits. It is a page of ours, in place of the app that you would send a message to.
func (s *Server) waiting(w http.ResponseWriter, r *http.Request) {
	who := s.signedIn(r)
	if who == nil {
		s.show(w, http.StatusOK, "sign-in", asked{})
		return
	}
	list := map[string]request{}
	s.requests.all(s.Now(), func(id string, q request) {
		if q.Sub == who.User.Sub {
			list[id] = q
		}
	})
	s.show(w, http.StatusOK, "requests", struct {
		Who  *user
		List map[string]request
	}{who.User, list})
}

// decide takes what the user answered on that page.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	if !s.parse(w, r) {
		return
	}
	action, id, who := r.PostForm.Get("action"), r.PostForm.Get("id"), s.signedIn(r)
	if action == "login" {
		if err := s.signIn(w, r); err != nil {
			s.show(w, http.StatusOK, "sign-in", asked{Notice: notice(err), Username: r.PostForm.Get("username")})
			return
		}
		redirect(w, r, r.URL.Path)
		return
	}
	q, ok := s.requests.get(s.Now(), id)
	if who == nil || !ok || q.Sub != who.User.Sub || action != "allow" && action != "deny" {
		redirect(w, r, r.URL.Path) // the page is out of date
		return
	}
	in := map[string]any{"ticket": q.Ticket, "result": "ACCESS_DENIED", "subject": who.User.Sub}
	if action == "allow" {
		in["result"], in["authTime"], in["claims"] = "AUTHORIZED", who.AuthTime.Unix(), who.User.claims(q.Claims)
	}
	var a Answer
	err := s.API.Call(r.Context(), "/backchannel/authentication/complete", in, &a)
	switch {
	case err != nil:
		s.fail(w, r, http.StatusServiceUnavailable, tryAgain, err)
		return
	case a.Action == "SERVER_ERROR":
		err = errors.New(a.Code) // the request is over
	case a.Action != "NO_ACTION":
		err = errors.New("unexpected action " + a.Action) // a client that does not poll would be told now
	}
	s.requests.drop(id)
	if err != nil {
		s.fail(w, r, http.StatusConflict, "Your answer came too late.", err)
		return
	}
	redirect(w, r, r.URL.Path)
}

package main

import (
	"errors"
	"net/http"
	"time"
)

// devicePage is where users enter the codes that devices show. The service tells devices of it: device.verification_uri.
const devicePage = "/device"

// A user may guess so many codes in a while: a code is short, as it is typed (RFC 8628 §5.1).
const (
	maxGuesses = 10
	guessing   = 15 * time.Minute
)

// device is the device authorization endpoint (RFC 8628 §3.1).
func (s *Server) device(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	var a Answer
	if err := s.API.Call(r.Context(), "/device/authorization", in, &a); err != nil {
		s.unavailable(w, r, err)
		return
	}
	s.reply(w, r, a)
}

// verification is what the API says of a user code.
type verification struct {
	Answer
	clientRef
	ClientName string   `json:"clientName"`
	Scopes     []named  `json:"scopes"`
	Claims     []string `json:"claimNames"`
}

// entered is what the page for codes shows: a form for one, or who asks for what behind it.
type entered struct {
	Code, Notice string
	Asks         *verification
	Who          *user
}

// enter shows the page for codes. A link may bring a code, which its user still has to confirm (RFC 8628 §3.3.1).
func (s *Server) enter(w http.ResponseWriter, r *http.Request) {
	who := s.signedIn(r)
	if who == nil {
		s.show(w, http.StatusOK, "sign-in", asked{})
		return
	}
	s.show(w, http.StatusOK, "code", entered{Code: r.URL.Query().Get("user_code"), Who: who.User})
}

// connect takes a code that was entered, and then what its user answered.
func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	if !s.parse(w, r) {
		return
	}
	action, code, who := r.PostForm.Get("action"), r.PostForm.Get("user_code"), s.signedIn(r)
	switch {
	case action == "login":
		if err := s.signIn(w, r); err != nil {
			s.show(w, http.StatusOK, "sign-in", asked{Notice: notice(err), Username: r.PostForm.Get("username")})
			return
		}
		redirect(w, r, r.URL.RequestURI())
	case who == nil:
		redirect(w, r, devicePage)
	case action == "allow", action == "deny":
		s.connected(w, r, who, code, action == "allow")
	default:
		if asks := s.verify(w, r, who, code); asks != nil {
			s.show(w, http.StatusOK, "device", entered{Code: code, Asks: asks, Who: who.User})
		}
	}
}

// verify asks the API what stands behind a code; where there is nothing it has answered.
func (s *Server) verify(w http.ResponseWriter, r *http.Request, who *session, code string) *verification {
	wrong, _ := s.guesses.get(s.Now(), who.User.Sub)
	if wrong >= maxGuesses {
		s.show(w, http.StatusTooManyRequests, "code", entered{Notice: "There were too many codes that do not work. Please wait.", Who: who.User})
		return nil
	}
	var a verification
	if err := s.API.Call(r.Context(), "/device/verification", map[string]string{"userCode": code}, &a); err != nil {
		s.fail(w, r, http.StatusServiceUnavailable, tryAgain, err)
		return nil
	}
	switch a.Action {
	case "VALID":
		if a.ClientName == "" {
			a.ClientName = a.clientRef.String()
		}
		return &a
	case "NOT_EXIST", "EXPIRED":
		s.guesses.put(s.Now(), who.User.Sub, wrong+1, guessing)
		s.show(w, http.StatusOK, "code", entered{Notice: codeNotices[a.Action], Who: who.User})
	default:
		s.fail(w, r, http.StatusServiceUnavailable, tryAgain, errors.New("unexpected action "+a.Action))
	}
	return nil
}

// codeNotices are what a user is told of a code that cannot be used.
var codeNotices = map[string]string{
	"NOT_EXIST":           "This code does not work. Please look again.",
	"EXPIRED":             "This code has expired. Please start again on the device.",
	"USER_CODE_NOT_EXIST": "This code does not work any more. Please start again on the device.",
	"USER_CODE_EXPIRED":   "This code has expired. Please start again on the device.",
}

// connected tells the API what the user answered.
func (s *Server) connected(w http.ResponseWriter, r *http.Request, who *session, code string, allowed bool) {
	asks := s.verify(w, r, who, code)
	if asks == nil {
		return
	}
	in := map[string]any{"userCode": code, "result": "ACCESS_DENIED"}
	if allowed {
		in = map[string]any{"userCode": code, "result": "AUTHORIZED", "subject": who.User.Sub, "authTime": who.AuthTime.Unix(), "claims": who.User.claims(asks.Claims)}
	}
	var a Answer
	if err := s.API.Call(r.Context(), "/device/complete", in, &a); err != nil {
		s.fail(w, r, http.StatusServiceUnavailable, tryAgain, err)
		return
	}
	switch a.Action {
	case "SUCCESS":
		s.show(w, http.StatusOK, "connected", allowed)
	case "USER_CODE_NOT_EXIST", "USER_CODE_EXPIRED":
		s.show(w, http.StatusOK, "code", entered{Notice: codeNotices[a.Action], Who: who.User})
	default:
		s.fail(w, r, http.StatusServiceUnavailable, tryAgain, errors.New("unexpected action "+a.Action))
	}
}

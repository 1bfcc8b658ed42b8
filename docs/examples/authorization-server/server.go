package main

import (
	"log/slog"
	"net/http"
	"time"
)

// Server is an authorization server.
type Server struct {
	Issuer   string
	Secure   bool // browsers reach us by https
	API      *API
	Users    *users
	Resource credentials // of the resource server that may introspect
	Now      func() time.Time
	Log      *slog.Logger

	sessions memory[session]
	asking   memory[interaction] // authorization requests that wait for their user
	consents memory[[]string]    // scope values that a user once allowed a client
	requests memory[request]     // backchannel authentication requests that wait for their user
	guesses  memory[int]         // codes of devices that a user entered and that do not work
}

type credentials struct{ ID, Secret string }

// endpoints are those that clients and resource servers use, by their names in the metadata.
var endpoints = []struct {
	member  string
	methods []string
	path    string
	serve   func(*Server, http.ResponseWriter, *http.Request)
}{
	{"jwks_uri", []string{"GET"}, "/jwks", (*Server).jwks},
	{"authorization_endpoint", []string{"GET", "POST"}, "/authorize", (*Server).authorize},
	{"token_endpoint", []string{"POST"}, "/token", (*Server).token},
	{"userinfo_endpoint", []string{"GET", "POST"}, "/userinfo", (*Server).userInfo},
	{"introspection_endpoint", []string{"POST"}, "/introspect", (*Server).introspect},
	{"revocation_endpoint", []string{"POST"}, "/revoke", (*Server).revoke},
	{"pushed_authorization_request_endpoint", []string{"POST"}, "/par", (*Server).push},
	{"device_authorization_endpoint", []string{"POST"}, "/device_authorization", (*Server).device},
	{"backchannel_authentication_endpoint", []string{"POST"}, "/backchannel/authentication", (*Server).backchannel},
}

// Handler returns the handler of all endpoints and pages. Forms are taken from our own pages only; the endpoints are
// outside of that rule, as any site may send its users to the authorization endpoint, also by a form.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", s.configuration)
	for _, e := range endpoints {
		for _, method := range e.methods {
			mux.HandleFunc(method+" "+e.path, func(w http.ResponseWriter, r *http.Request) { e.serve(s, w, r) })
		}
	}
	var own http.CrossOriginProtection
	mux.HandleFunc("GET /sign-in/{handle}", s.ask)
	mux.Handle("POST /sign-in/{handle}", own.Handler(http.HandlerFunc(s.answered)))
	mux.HandleFunc("GET /requests", s.waiting)
	mux.Handle("POST /requests", own.Handler(http.HandlerFunc(s.decide)))
	mux.HandleFunc("GET "+devicePage, s.enter)
	mux.Handle("POST "+devicePage, own.Handler(http.HandlerFunc(s.connect)))
	mux.HandleFunc("GET /style.css", s.style)
	return mux
}

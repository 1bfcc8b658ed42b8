package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// undone is what the service may say of itself and we do not do: endpoints that we do not have, and what a client sends in
// headers that we do not hand over.
var undone = []string{
	"registration_endpoint", "end_session_endpoint", "check_session_iframe", "authorization_challenge_endpoint",
	"mtls_endpoint_aliases", "tls_client_certificate_bound_access_tokens", "dpop_signing_alg_values_supported",
	"introspection_endpoint_auth_signing_alg_values_supported",
}

// operation changes a member of the metadata (RFC 6902 §4).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// changes make of what the service says of itself what we say. An operation must fit the document, so what may be absent is
// added before it is removed.
func (s *Server) changes() (ops []operation) {
	for _, e := range endpoints {
		ops = append(ops, operation{"add", "/" + e.member, s.Issuer + e.path})
	}
	for _, member := range undone {
		ops = append(ops, operation{"add", "/" + member, "none"}, operation{Op: "remove", Path: "/" + member})
	}
	return append(ops,
		operation{"add", "/introspection_endpoint_auth_methods_supported", []string{"client_secret_basic"}},
		operation{"add", "/prompt_values_supported", []string{"none", "login", "consent", "select_account"}})
}

// metadata is what we say of ourselves (OpenID Connect Discovery 1.0 §3).
func (s *Server) metadata(ctx context.Context) (doc json.RawMessage, err error) {
	err = s.API.Call(ctx, "/service/configuration", map[string]string{"patch": jsonOf(s.changes())}, &doc)
	return doc, err
}

// check reports whether the service is one that this program can stand for. Tokens and responses name the issuer of the
// service, and clients accept them only where they found the metadata of that issuer.
func (s *Server) check(ctx context.Context) error {
	doc, err := s.metadata(ctx)
	if err != nil {
		return err
	}
	var said struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(doc, &said); err != nil {
		return errors.New("the service's metadata cannot be read")
	}
	if said.Issuer != s.Issuer {
		return fmt.Errorf("the service's issuer is %s, and not %s: create a service with this program's address as its issuer", said.Issuer, s.Issuer)
	}
	return nil
}

func (s *Server) configuration(w http.ResponseWriter, r *http.Request) {
	doc, err := s.metadata(r.Context())
	s.document(w, r, doc, err)
}

// jwks serves the public keys that tokens are signed with.
func (s *Server) jwks(w http.ResponseWriter, r *http.Request) {
	doc, err := s.API.Get(r.Context(), "/service/jwks/get")
	s.document(w, r, doc, err)
}

func (s *Server) document(w http.ResponseWriter, r *http.Request, doc json.RawMessage, err error) {
	if err != nil {
		s.unavailable(w, r, err)
		return
	}
	write(w, http.StatusOK, string(doc))
}

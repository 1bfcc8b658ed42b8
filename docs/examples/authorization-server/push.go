package main

import "net/http"

// push is the pushed authorization request endpoint (RFC 9126 §2). What was pushed comes to /authorize as a request_uri, which
// the API knows.
func (s *Server) push(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	var a Answer
	if err := s.API.Call(r.Context(), "/pushed_auth_req", in, &a); err != nil {
		s.unavailable(w, r, err)
		return
	}
	s.reply(w, r, a)
}

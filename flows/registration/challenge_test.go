package registration

import "testing"

// Only an administrator lets a client name itself at the authorization challenge endpoint.
func TestChallengeAuthMethod(t *testing.T) {
	const redirect = `"redirect_uris":["https://a.example/cb"]`
	const none = `"authorization_challenge_endpoint_auth_method":"none"`
	for _, tt := range []struct {
		rule, was, update, want, then string // was is registered by master, update by the client itself
	}{
		{"a client may not take it", `{` + redirect + `}`, `{` + redirect + `,` + none + `}`, badMeta, ""},
		{"what it has it may repeat", `{` + redirect + `,` + none + `}`, `{` + redirect + `,` + none + `}`, "", "none"},
		{"what it leaves out stays", `{` + redirect + `,` + none + `}`, `{` + redirect + `}`, "", "none"},
	} {
		s, acme, m := house(t)
		r, err := s.Register(t.Context(), acme, request(t, tt.was, administrator))
		if err != nil {
			t.Fatal(tt.rule, err)
		}
		_, err = s.Update(t.Context(), acme, r.Client.ID, request(t, tt.update, Own(r.RegistrationToken, "")))
		if said(err) != tt.want {
			t.Errorf("%s: got %v, want %q", tt.rule, err, tt.want)
		}
		if got := m.clients[r.Client.ID].ChallengeAuthMethod; got != tt.then {
			t.Errorf("%s: it is %q", tt.rule, got)
		}
	}
	s, acme, _ := house(t)
	acme.Settings.Clients.OpenRegistration = true
	if _, err := s.Register(t.Context(), acme, request(t, `{`+redirect+`,`+none+`}`, Open(""))); said(err) != badMeta {
		t.Errorf("anybody: got %v", err)
	}
	if _, err := s.Register(t.Context(), acme, request(t, `{`+redirect+`,"authorization_challenge_endpoint_auth_method":"client_secret_post"}`, administrator)); said(err) != badMeta {
		t.Errorf("another method: got %v", err)
	}
}

package registration

import (
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
)

func TestBackchannel(t *testing.T) {
	const grant = `"grant_types": ["urn:openid:params:grant-type:ciba"], "response_types": []`
	for _, c := range []struct {
		rule, body string
		codes      bool // the tenant checks user codes
		mode, want string
	}{
		{"the delivery mode is poll unless it is said", `{` + grant + `}`, false, "poll", ""},
		{"it may be said", `{` + grant + `, "backchannel_token_delivery_mode": "poll"}`, false, "poll", ""},
		{"a client without the grant has none", `{"grant_types": ["client_credentials"], "response_types": []}`, false, "", ""},
		{"ping is not supported", `{` + grant + `, "backchannel_token_delivery_mode": "ping"}`, false, "", badMeta},
		{"nor is push", `{` + grant + `, "backchannel_token_delivery_mode": "push"}`, false, "", badMeta},
		{"nor a place for notifications", `{` + grant + `, "backchannel_client_notification_endpoint": "https://app.example/n"}`, false, "", badMeta},
		{"nor signed requests", `{` + grant + `, "backchannel_authentication_request_signing_alg": "ES256"}`, false, "", badMeta},
		{"nor user codes that nobody checks", `{` + grant + `, "backchannel_user_code_parameter": true}`, false, "", badMeta},
		{"but not to send them is", `{` + grant + `, "backchannel_user_code_parameter": false}`, false, "poll", ""},
		{"and those that somebody checks are", `{` + grant + `, "backchannel_user_code_parameter": true}`, true, "poll", ""},
		{"the client authenticates", `{` + grant + `, "token_endpoint_auth_method": "none"}`, false, "", badMeta},
	} {
		s, acme, m := house(t)
		s.GrantTypes = append(s.GrantTypes, oauth.CIBA)
		acme.Settings.CIBA.UserCode = c.codes
		r, err := Parse([]byte(c.body))
		var answer Response
		if err == nil {
			r.By = Master("admin", "")
			answer, err = s.Register(t.Context(), acme, r)
		}
		if got := said(err); got != c.want {
			t.Errorf("%s: got %q %v, want %q", c.rule, got, err, c.want)
			continue
		}
		if err == nil && (answer.Client.BackchannelMode != c.mode || m.clients[answer.Client.ID].BackchannelMode != c.mode) {
			t.Errorf("%s: the mode is %q", c.rule, answer.Client.BackchannelMode)
		}
	}
	s, acme, _ := house(t)
	s.GrantTypes = append(s.GrantTypes, oauth.CIBA)
	if _, err := s.Register(t.Context(), acme, request(t, `{`+grant+`}`, Authority{})); said(err) != badMeta {
		t.Errorf("anybody may take the grant: %v", err)
	}
}

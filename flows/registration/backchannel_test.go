package registration

import (
	"errors"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
)

func TestBackchannel(t *testing.T) {
	const grant = `"grant_types": ["urn:openid:params:grant-type:ciba"], "response_types": []`
	const place = `"backchannel_client_notification_endpoint": "https://app.example/n"`
	for _, c := range []struct {
		rule, body string
		codes      bool // the tenant checks user codes, and allows push
		mode, want string
	}{
		{"the delivery mode is poll unless it is said", `{` + grant + `}`, false, "poll", ""},
		{"it may be said", `{` + grant + `, "backchannel_token_delivery_mode": "poll"}`, false, "poll", ""},
		{"a client without the grant has none", `{"grant_types": ["client_credentials"], "response_types": []}`, false, "", ""},
		{"ping needs a place for notifications", `{` + grant + `, "backchannel_token_delivery_mode": "ping"}`, false, "", badMeta},
		{"and has one", `{` + grant + `, "backchannel_token_delivery_mode": "ping", ` + place + `}`, false, "ping", ""},
		{"where we may call", `{` + grant + `, "backchannel_token_delivery_mode": "ping", "backchannel_client_notification_endpoint": "https://10.0.0.1/n"}`, false, "", badMeta},
		{"in clear we do not", `{` + grant + `, "backchannel_token_delivery_mode": "ping", "backchannel_client_notification_endpoint": "ftp://app.example/n"}`, false, "", badMeta},
		{"who polls may have one", `{` + grant + `, ` + place + `}`, false, "poll", ""},
		{"push is for the tenant to allow", `{` + grant + `, "backchannel_token_delivery_mode": "push", ` + place + `}`, false, "", badMeta},
		{"and it may", `{` + grant + `, "backchannel_token_delivery_mode": "push", ` + place + `}`, true, "push", ""},
		{"but no bound tokens", `{` + grant + `, "backchannel_token_delivery_mode": "push", "dpop_bound_access_tokens": true, ` + place + `}`, true, "", badMeta},
		{"another mode there is not", `{` + grant + `, "backchannel_token_delivery_mode": "pull", ` + place + `}`, true, "", badMeta},
		{"nor signed requests", `{` + grant + `, "backchannel_authentication_request_signing_alg": "ES256"}`, false, "", badMeta},
		{"nor user codes that nobody checks", `{` + grant + `, "backchannel_user_code_parameter": true}`, false, "", badMeta},
		{"but not to send them is", `{` + grant + `, "backchannel_user_code_parameter": false}`, false, "poll", ""},
		{"and those that somebody checks are", `{` + grant + `, "backchannel_user_code_parameter": true}`, true, "poll", ""},
		{"the client authenticates", `{` + grant + `, "token_endpoint_auth_method": "none"}`, false, "", badMeta},
	} {
		s, acme, m := house(t)
		s.GrantTypes = append(s.GrantTypes, oauth.CIBA)
		s.Permits = func(uri string) error {
			if uri != "https://app.example/n" {
				return errors.New("not there")
			}
			return nil
		}
		acme.Settings.CIBA.UserCode, acme.Settings.CIBA.Push = c.codes, c.codes
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

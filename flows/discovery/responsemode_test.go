package discovery

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestOnlyResponseModesThatARequestMayAskForArePromised(t *testing.T) {
	jwts := []string{"jwt", "query.jwt", "fragment.jwt", "form_post.jwt"}
	all := append([]string{"query", "fragment", "form_post"}, jwts...)
	for _, tt := range []struct {
		rule, profile string
		types, modes  []string
		want          []string
	}{
		{"all by default", "", nil, nil, all},
		{"those of the settings", "", nil, []string{"query", "form_post"}, []string{"query", "form_post"}},
		{"with a profile that wants none signed all", tenant.FAPI2Security, nil, nil, all},
		{"with one that does only those", tenant.FAPI2MessageSigning, nil, nil, jwts},
		{"of the settings too", tenant.FAPI2MessageSigning, nil, []string{"query", "form_post.jwt"}, []string{"form_post.jwt"}},
		{"also with the other", tenant.FAPI1Advanced, nil, nil, jwts},
		{"but an ID token signs, and goes by no query", tenant.FAPI1Advanced, []string{"code id_token"}, nil, all[1:]},
		{"a response type that the profile forbids counts for nothing", tenant.FAPI2MessageSigning, []string{"code id_token"}, nil, jwts},
	} {
		s := &tenant.Settings{Profile: tt.profile, Authorization: tenant.AuthorizationSettings{ResponseTypes: tt.types, ResponseModes: tt.modes}}
		m := MetadataOf(&tenant.Tenant{Issuer: "https://id.example", Settings: s, Keys: keys.NewSet(nil)}, time.Now())
		if d := cmp.Diff(tt.want, m.ResponseModes); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.rule, d)
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		signed := strings.Contains(strings.Join(tt.want, " "), "jwt")
		for _, member := range []string{"authorization_encryption_alg_values_supported", "authorization_encryption_enc_values_supported"} {
			if strings.Contains(string(b), `"`+member+`"`) != signed {
				t.Errorf("%s: %s is promised: %v", tt.rule, member, !signed)
			}
		}
	}
}

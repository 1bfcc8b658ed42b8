package authorize

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// Verified claims are asked for beside those of the same name, consented to apart, and told of with what they are for.
func TestVerifiedClaimsAreAskedFor(t *testing.T) {
	claims, err := oauth.ParseClaims(`{"id_token":{"email":{"purpose":"to write"},"verified_claims":[{"verification":{"trust_framework":null},"claims":{"name":null,"verified:x":null}},
		{"verification":{"trust_framework":null},"claims":{"name":{"essential":true,"purpose":"to be sure"},"birthdate":null}}]},"userinfo":{"name":null,"verified:fake":null,"access_token:fake":null}}`)
	if err != nil {
		t.Fatal(err)
	}
	r := &request.Request{Claims: claims}
	had := &grant.Authorization{Claims: []string{"name", "verified:birthdate"}}
	want := Asked{New: Names{Essential: []string{"verified:name"}, Voluntary: []string{"email"}}, Consented: Names{Voluntary: []string{"name", "verified:birthdate"}}}
	if d := cmp.Diff(want, Ask(&tenant.Settings{}, r, had)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"email": "to write", "verified:name": "to be sure"}, Purposes(r)); d != "" {
		t.Error(d)
	}
}

package oauth

import (
	"slices"
	"testing"
)

func TestResponseType(t *testing.T) {
	for _, tt := range []struct {
		sent, want string
		front      bool
		grants     []string
	}{
		{"code", "code", false, []string{"authorization_code"}},
		{"token code id_token", "code id_token token", true, []string{"authorization_code", "implicit"}},
		{"id_token", "id_token", true, []string{"implicit"}},
		{"none", "none", false, nil},
		{"code code", "", false, []string{"authorization_code"}},
		{" token  id_token ", "id_token token", true, []string{"implicit"}},
		{"tokens", "tokens", false, nil},
		{"", "", false, nil},
	} {
		if got := ResponseType(tt.sent); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.sent, got, tt.want)
		}
		if got := FrontChannel(tt.sent); got != tt.front {
			t.Errorf("%q by the front channel: %v", tt.sent, got)
		}
		if got := GrantTypesOf(tt.sent); !slices.Equal(got, tt.grants) {
			t.Errorf("%q: grant types %q", tt.sent, got)
		}
	}
}

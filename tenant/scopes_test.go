package tenant_test

import (
	"strings"
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

func TestScopeDescriptionsByLanguage(t *testing.T) {
	d := tenant.ScopeDetails{Description: "plain", Descriptions: map[string]string{"de": "deutsch", "pt-BR": "brasileiro", "fr": ""}}
	for locales, want := range map[string]string{"": "plain", "de": "deutsch", "DE-at": "deutsch", "pt": "plain", "pt-br": "brasileiro", "fr": "plain", "en de": "deutsch", "pt-BR de": "brasileiro"} {
		if got := d.In(strings.Fields(locales)...); got != want {
			t.Errorf("in %q it is %q, want %q", locales, got, want)
		}
	}
}

func TestDefaultScope(t *testing.T) {
	s := tenant.Settings{Authorization: tenant.AuthorizationSettings{ScopeDetails: map[string]tenant.ScopeDetails{"b": {Default: true}, "a": {Default: true}, "c": {}}}}
	if got := s.DefaultScope().String(); got != "a b" {
		t.Errorf("it is %q", got)
	}
	if s.AdvertisedScopes()[0] != "openid" {
		t.Error("a tenant that lists none advertises the standard ones")
	}
}

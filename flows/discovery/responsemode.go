package discovery

import (
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// responseModes lists the response modes of t that a request of some response type may ask for, under its profile.
func responseModes(t *tenant.Tenant) []string {
	modes, types, demands := t.Settings.Authorization.ResponseModes, authorize.ResponseTypesOf(t), tenant.DemandsOf(t.Settings.Profile)
	if len(modes) == 0 {
		modes = authorize.ResponseModes()
	}
	return slices.DeleteFunc(slices.Clone(modes), func(mode string) bool {
		return !slices.ContainsFunc(types, func(responseType string) bool {
			return demands.AllowsResponseType(responseType) && (signs(mode) || !demands.WantsSigned(responseType)) &&
				(mode != oauth.ModeQuery || !oauth.FrontChannel(responseType))
		})
	})
}

// signs tells whether responses in that mode are JWTs (JARM §2.3).
func signs(mode string) bool { return mode == oauth.ModeJWT || strings.HasSuffix(mode, ".jwt") }

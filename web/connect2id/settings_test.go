package connect2id

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

// properties are those that shape authorisation sessions. The page of the dialect says of each what it is here, or that it is
// not supported.
var properties = strings.Fields(`endpoint apiAccessTokenSHA256 sessionLifetime
	responseTypes responseModes prohibitSwitchBetweenBasicResponseModes allowedPKCE requiredPKCE alwaysRequireRedirectURI maxStateLength.uriResponse
	maxStateLength.formPostResponse maxNonceLength allowUnsafeStatePatterns op.rar.supportedTypes op.par.require
	requestJWSAlgs requestJWEAlgs requestJWEEncs responseJWSAlgs responseJWEAlgs responseJWEEncs oAuthRequestJWTPolicy openIDRequestJWTPolicy
	alwaysRequireSignedRequestJWT alwaysRequireSignedResponse requireRequestJWTNotBefore maxLifetimeRequestJWTExpiration maxAgeRequestJWTNotBefore
	responseJWTIncludeX5C
	alwaysPromptForAuth alwaysPromptForConsent requireIDTokenHintWithPromptNone limitToRegisteredScope op.sso.disableForSelectedClients
	includeClientInfoInAuthPrompt includeOtherConsentedScopeAndClaimsInPrompt includeRawClaimsRequestInPrompt includeSubjectSessionInFinalResponse
	requestParamsInAuthPrompt requestParamsInConsentPrompt
	customErrorCodes advertisedScopes advertisedClaims advertisedDisplayTypes op.metadataOverlay`)

func TestEachPropertyIsInTheDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/dialects/connect2id.md")
	if err != nil {
		t.Fatal(err)
	}
	_, settings, ok := strings.Cut(string(b), "\n## Settings\n")
	if !ok {
		t.Fatal("the page has no settings")
	}
	named := regexp.MustCompile("`([A-Za-z0-9.]+)(?:\\[[^`]*)?`").FindAllStringSubmatch(settings, -1)
	for _, p := range properties {
		if !slices.ContainsFunc(named, func(m []string) bool { return m[1] == p || m[1] == "op.authz."+p }) {
			t.Errorf("the page does not say what %s is", p)
		}
	}
	names := map[string]bool{}
	membersOf(reflect.TypeFor[tenant.Settings](), "", names)
	for _, m := range regexp.MustCompile("`((?:authorization|tokens|par|sessions|request_objects)\\.[a-z0-9_.]+)`").FindAllStringSubmatch(settings, -1) {
		if !names[m[1]] {
			t.Errorf("tenant.Settings has no %s", m[1])
		}
	}
}

// membersOf collects the names of the JSON members of a struct, and of those in it.
func membersOf(t reflect.Type, prefix string, names map[string]bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		names[prefix+name] = true
		if f.Type.Kind() == reflect.Struct {
			membersOf(f.Type, prefix+name+".", names)
		}
	}
}

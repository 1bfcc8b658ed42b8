package registration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"crypto/rand"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// ofOurs is a JWK set with a key for alg.
func ofOurs(t testing.TB, alg keys.Alg) string {
	t.Helper()
	k, err := keys.Generate(alg, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	return string(keys.NewSet([]keys.Key{k}).JWKS(noon))
}

func TestProtectedAnswers(t *testing.T) {
	const uri = `"redirect_uris":["https://app.example/cb"]`
	ec := `"jwks":` + ofOurs(t, keys.ECDHES)
	on := tenant.SigningSettings{HMAC: true, None: true}
	for _, c := range []struct {
		rule, members string
		signing       tenant.SigningSettings
		err           string // what the description says; empty: registered
	}{
		{"a key's algorithm", `"id_token_signed_response_alg":"ES256","userinfo_signed_response_alg":"ES256","introspection_signed_response_alg":"ES256"`, on, ""},
		{"one that the tenant has no key of", `"id_token_signed_response_alg":"PS256"`, on, "id_token_signed_response_alg is not supported"},
		{"an HMAC", `"id_token_signed_response_alg":"HS256","userinfo_signed_response_alg":"HS512"`, on, ""},
		{"an HMAC that is off", `"userinfo_signed_response_alg":"HS256"`, tenant.SigningSettings{None: true}, "userinfo_signed_response_alg is not supported"},
		{"an HMAC of a client without secret", `"token_endpoint_auth_method":"none","id_token_signed_response_alg":"HS256"`, on, "needs a client that has a secret"},
		{"none for ID tokens", `"id_token_signed_response_alg":"none"`, on, ""},
		{"none that is off", `"id_token_signed_response_alg":"none"`, tenant.SigningSettings{HMAC: true}, "id_token_signed_response_alg is not supported"},
		{"none through the browser", `"id_token_signed_response_alg":"none","grant_types":["authorization_code","implicit"],"response_types":["code id_token"]`, on, "none goes only with the response type code"},
		{"none by another device", `"id_token_signed_response_alg":"none","grant_types":["authorization_code","urn:openid:params:grant-type:ciba"]`, on, "none goes only with the response type code"},
		{"none for UserInfo", `"userinfo_signed_response_alg":"none"`, on, "userinfo_signed_response_alg is not supported"},
		{"none for introspection", `"introspection_signed_response_alg":"none"`, on, "introspection_signed_response_alg is not supported"},
		{"none in other letters", `"id_token_signed_response_alg":"None"`, on, "is not supported"},
		{"encrypted to a key", ec + `,"id_token_encrypted_response_alg":"ECDH-ES","id_token_encrypted_response_enc":"A256GCM"`, on, ""},
		{"to a key elsewhere", `"jwks_uri":"https://app.example/jwks","userinfo_encrypted_response_alg":"RSA-OAEP-256"`, on, ""},
		{"to no key", `"introspection_encrypted_response_alg":"RSA-OAEP-256"`, on, "needs jwks or jwks_uri with a key for it"},
		{"to a key of another type", ec + `,"introspection_encrypted_response_alg":"RSA-OAEP-256"`, on, "needs jwks or jwks_uri with a key for it"},
		{"with the secret", `"userinfo_encrypted_response_alg":"dir","userinfo_encrypted_response_enc":"A128CBC-HS256"`, on, ""},
		{"with a secret that is not there", `"token_endpoint_auth_method":"none","userinfo_encrypted_response_alg":"A128KW"`, on, "needs a client that has a secret"},
		{"by an algorithm of old", ec + `,"id_token_encrypted_response_alg":"RSA1_5"`, on, "id_token_encrypted_response_alg is not supported"},
		{"with a password", `"id_token_encrypted_response_alg":"PBES2-HS256+A128KW"`, on, "id_token_encrypted_response_alg is not supported"},
		{"an enc without alg", `"userinfo_encrypted_response_enc":"A256GCM"`, on, "userinfo_encrypted_response_enc needs userinfo_encrypted_response_alg"},
		{"an unknown enc", ec + `,"introspection_encrypted_response_alg":"ECDH-ES","introspection_encrypted_response_enc":"A1"`, on, "introspection_encrypted_response_enc is not supported"},
	} {
		s, acme, _ := house(t)
		s.ResponseTypes, s.GrantTypes = []string{"code", "code id_token"}, append(s.GrantTypes, "urn:openid:params:grant-type:ciba")
		acme.Settings.Signing, acme.Settings.Authorization.ResponseTypes = c.signing, s.ResponseTypes
		r := request(t, "{"+uri+","+c.members+"}", administrator)
		_, err := s.Register(t.Context(), acme, r)
		if (err == nil) != (c.err == "") || err != nil && (said(err) != badMeta || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v, want %q", c.rule, err, c.err)
		}
	}
}

func TestTheUsualContentEncryptionIsShown(t *testing.T) {
	s, acme, _ := house(t)
	r := request(t, `{"redirect_uris":["https://app.example/cb"],"id_token_encrypted_response_alg":"dir"}`, administrator)
	got, err := s.Register(t.Context(), acme, r)
	if err != nil || got.Client.IDTokenEncryptionEnc != "A128CBC-HS256" {
		t.Errorf("got %q, %v", got.Client.IDTokenEncryptionEnc, err)
	}
}

// A secret that more is done with than to send it is kept, and long enough for what is done.
func TestSecretsThatAreUsedAreKept(t *testing.T) {
	s, acme, _ := house(t)
	acme.Settings.Signing.HMAC = true
	register := func(members string) Response {
		t.Helper()
		got, err := s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://app.example/cb"]`+members+`}`, administrator))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range []struct {
		members string
		kept    bool
		size    int
	}{
		{``, false, 32},
		{`,"id_token_signed_response_alg":"HS256"`, true, 32},
		{`,"userinfo_signed_response_alg":"HS384"`, true, 48},
		{`,"introspection_signed_response_alg":"HS512"`, true, 64},
		{`,"id_token_encrypted_response_alg":"A256KW"`, true, 32},
	} {
		got := register(c.members)
		if kept := !got.Client.Kept().IsZero(); kept != c.kept || len(got.Secret) < c.size {
			t.Errorf("%s: kept %t, a secret of %d", c.members, kept, len(got.Secret))
		}
	}
	// A client that begins to use it gets a new one, as the old one is not known; one that stops has it forgotten.
	first := register("")
	update := func(members string) Response {
		t.Helper()
		r := request(t, `{"redirect_uris":["https://app.example/cb"]`+members+`}`, administrator)
		got, err := s.Update(t.Context(), acme, first.Client.ID, r)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := update(`,"id_token_signed_response_alg":"HS256"`); got.Secret == "" || got.Client.Kept().IsZero() {
		t.Error("no new secret")
	}
	if got := update(`,"id_token_signed_response_alg":"HS256","client_name":"x"`); got.Secret != "" || got.Client.Kept().IsZero() {
		t.Error("a change of the name made a new secret")
	}
	if got := update(`,"id_token_signed_response_alg":"HS512"`); len(got.Secret) < 64 {
		t.Error("a longer algorithm made no longer secret")
	}
	if got := update(""); !got.Client.Kept().IsZero() {
		t.Error("the secret is still kept")
	}
	r := request(t, `{"redirect_uris":["https://app.example/cb"],"id_token_signed_response_alg":"HS512","preferred_client_secret":"`+strings.Repeat("x", 40)+`"}`, administrator)
	if _, err := s.Register(t.Context(), acme, r); said(err) != badMeta {
		t.Errorf("a secret that is too short: %v", err)
	}
}

func TestPairwiseSubjectsHaveASector(t *testing.T) {
	const doc = "https://sector.example/uris.json"
	for _, c := range []struct {
		rule, members string
		body          string // at doc; empty: it does not answer
		err           string // what the description says; empty: registered
	}{
		{"public", `"redirect_uris":["https://a.example/cb"],"subject_type":"public"`, "", ""},
		{"one host", `"redirect_uris":["https://a.example/cb","https://A.example:444/x"],"subject_type":"pairwise"`, "", ""},
		{"two hosts", `"redirect_uris":["https://a.example/cb","https://b.example/cb"],"subject_type":"pairwise"`, "", "pairwise needs a sector_identifier_uri"},
		{"no host", `"application_type":"native","redirect_uris":["com.example:/cb"],"subject_type":"pairwise"`, "", "pairwise needs a sector_identifier_uri"},
		{"none at all", `"grant_types":["client_credentials"],"subject_type":"pairwise"`, "", "pairwise needs a sector_identifier_uri"},
		{"the host of the keys", `"grant_types":["client_credentials"],"subject_type":"pairwise","jwks_uri":"https://a.example/jwks"`, "", ""},
		{"an unknown type", `"redirect_uris":["https://a.example/cb"],"subject_type":"Pairwise"`, "", "neither public nor pairwise"},
		{"a document that lists all", `"redirect_uris":["https://a.example/cb","https://b.example/cb"],"subject_type":"pairwise","sector_identifier_uri":"` + doc + `"`,
			`["https://b.example/cb","https://c.example/cb","https://a.example/cb"]`, ""},
		{"one that lacks one", `"redirect_uris":["https://a.example/cb","https://b.example/cb"],"sector_identifier_uri":"` + doc + `"`, `["https://a.example/cb"]`, "does not list all"},
		{"one with something like it", `"redirect_uris":["https://a.example/cb"],"sector_identifier_uri":"` + doc + `"`, `["https://a.example/cb/",null]`, "does not list all"},
		{"no array", `"redirect_uris":["https://a.example/cb"],"sector_identifier_uri":"` + doc + `"`, `{"redirect_uris":["https://a.example/cb"]}`, "leads to no JSON array"},
		{"null", `"redirect_uris":["https://a.example/cb"],"sector_identifier_uri":"` + doc + `"`, `null`, "leads to no JSON array"},
		{"no answer", `"redirect_uris":["https://a.example/cb"],"sector_identifier_uri":"` + doc + `"`, "", "leads to no JSON array"},
		{"a host that we do not call", `"redirect_uris":["https://a.example/cb"],"sector_identifier_uri":"https://private.example/"`, "", "not an https URL of a public host"},
	} {
		s, acme, _ := house(t)
		s.Permits = func(url string) error {
			if strings.Contains(url, "private") {
				return errors.New("private")
			}
			return nil
		}
		s.Fetch = func(_ context.Context, key, url string, max int64) ([]byte, string, error) {
			if c.body == "" || url != doc || key != "acme" || max <= 0 {
				return nil, "", fmt.Errorf("%s, %s", key, url)
			}
			return []byte(c.body), "application/json", nil
		}
		_, err := s.Register(t.Context(), acme, request(t, "{"+c.members+"}", administrator))
		if (err == nil) != (c.err == "") || err != nil && (said(err) != badMeta || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v, want %q", c.rule, err, c.err)
		}
	}
}

func TestTokenPolicyOfAccessTokens(t *testing.T) {
	for body, ok := range map[string]bool{
		`"access_token_lifetime":10`: true, `"access_token_lifetime":86400`: true, `"access_token_lifetime":9`: false, `"access_token_lifetime":86401`: false,
		`"access_token_lifetime":-1`: false, `"access_token_format":"jwt"`: true, `"access_token_format":"opaque"`: true, `"access_token_format":"JWT"`: false,
		`"id_token_lifetime":60`: true, `"id_token_lifetime":1`: false,
	} {
		for _, by := range []Authority{administrator, Open("")} {
			s, acme, _ := house(t)
			_, err := s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://app.example/cb"],`+body+`}`, by))
			if want := ok && by.rank == master; (err == nil) != want {
				t.Errorf("%s with rank %v: %v", body, by.rank, err)
			}
		}
	}
}

func TestAlgorithmsOfAnswersFollowTheSettings(t *testing.T) {
	_, acme, _ := house(t)
	for _, c := range []struct {
		on           tenant.SigningSettings
		id, answered []keys.Alg
	}{
		{tenant.SigningSettings{}, []keys.Alg{keys.ES256}, []keys.Alg{keys.ES256}},
		{tenant.SigningSettings{HMAC: true, None: true}, []keys.Alg{"ES256", "HS256", "HS384", "HS512", "none"}, []keys.Alg{"ES256", "HS256", "HS384", "HS512"}},
	} {
		acme.Settings.Signing = c.on
		if got := IDTokenAlgs(acme, noon); !slices.Equal(got, c.id) {
			t.Errorf("ID tokens: %v", got)
		}
		if got := AnswerAlgs(acme, noon); !slices.Equal(got, c.answered) {
			t.Errorf("answers: %v", got)
		}
	}
}

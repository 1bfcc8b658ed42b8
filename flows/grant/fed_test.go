package grant

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// known are Accounts and Sources that know these claims.
type known map[string]json.RawMessage

func (k known) Claims(_ context.Context, _ *tenant.Tenant, _ string, names, _ []string) (map[string]json.RawMessage, error) {
	if k["down"] != nil {
		return nil, oauth.Unavailable()
	}
	out := map[string]json.RawMessage{}
	for _, name := range names {
		for member, v := range k {
			if base, _, _ := strings.Cut(member, "#"); member == name || base == name {
				out[member] = v
			}
		}
	}
	return out, nil
}

func (k known) Ask(ctx context.Context, t *tenant.Tenant, q Inquiry) (map[string]json.RawMessage, error) {
	if q.Place != InAccessToken {
		return nil, errors.New("asked for another place")
	}
	return k.Claims(ctx, t, "", q.Names, nil)
}

// What access tokens are fed, of every form, and that it is read from them as it was written.
func TestAccessTokensAreFedClaims(t *testing.T) {
	type claims = map[string]json.RawMessage
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	mine := known{"dept": raw(`"b"`), "dept#es": raw(`"c"`), "email": raw(`"e"`), "sub": raw(`"mallory"`), "gid": raw(`"x"`), "uip": raw(`"x"`), "large": raw(`"` + strings.Repeat("x", maxFedIn) + `"`)}
	theirs := known{"tier": raw(`{"n":1.50}`), "dept": raw(`"not asked"`)}
	for _, c := range []struct {
		rule  string
		terms Terms
		fed   *Fed
		dat   string
		err   bool
	}{
		{"nothing", Terms{Data: raw(`{"d":1}`)}, nil, `{"d":1}`, false},
		{"beside its own", Terms{AccessTokenClaims: []string{"email"}}, &Fed{Claims: claims{"email": raw(`"e"`)}}, "", false},
		{"from a source", Terms{AccessTokenClaims: []string{"tier", "dept"}}, &Fed{Claims: claims{"tier": raw(`{"n":1.50}`), "dept": raw(`"b"`), "dept#es": raw(`"c"`)}}, "", false},
		{"for UserInfo", Terms{AccessTokenClaims: []string{"uip:email"}}, &Fed{UserInfo: claims{"email": raw(`"e"`)}}, "", false},
		{"in its data", Terms{AccessTokenClaims: []string{"dat:email"}}, nil, `{"email":"e"}`, false},
		{"in its data, beside what is given", Terms{Data: raw(`{"d":1,"dept":"given"}`), AccessTokenClaims: []string{"dat:email", "dat:dept"}}, nil, `{"d":1,"dept":"given","dept#es":"c","email":"e"}`, false},
		{"everywhere", Terms{AccessTokenClaims: []string{"email", "uip:email", "dat:email"}}, &Fed{Claims: claims{"email": raw(`"e"`)}, UserInfo: claims{"email": raw(`"e"`)}}, `{"email":"e"}`, false},
		{"not in place of what is given", Terms{AccessToken: AccessTerms{Claims: claims{"email": raw(`"given"`)}}, AccessTokenClaims: []string{"email"}}, nil, "", false},
		{"nothing that says what it is", Terms{AccessTokenClaims: []string{"sub", "gid", "uip", "uip:sub"}}, nil, "", false},
		{"nothing that nobody knows", Terms{AccessTokenClaims: []string{"shoe_size"}}, nil, "", false},
		{"no more than fits", Terms{AccessTokenClaims: []string{"large"}}, nil, "", true},
	} {
		for form, change := range map[string]func(*AccessTerms){
			"JWT": func(*AccessTerms) {}, "encrypted": func(a *AccessTerms) { a.Encrypt = true }, "opaque": func(a *AccessTerms) { a.Encoding = Identifier }, "with a twin": func(a *AccessTerms) { a.Twin = true },
		} {
			i, ten := house(t, 1)
			i.Accounts, i.Sources, ten.Settings.Hooks = mine, theirs, map[string]tenant.Hook{"claims": {Claims: []string{"tier"}}}
			g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop", Terms: c.terms}
			change(&g.Terms.AccessToken)
			token, _, stored, err := i.MintAccess(t.Context(), ten, g, oauth.Scope{"a"}, nil, time.Time{})
			if (err != nil) != c.err {
				t.Errorf("%s, %s: %v", c.rule, form, err)
			}
			if err != nil {
				continue
			}
			read := []*AccessToken{stored}
			if form != "opaque" {
				a, err := i.ParseAccess(ten, token)
				if err != nil {
					t.Fatal(err)
				}
				read[0] = a
				if stored != nil {
					read = append(read, stored)
				}
			}
			for _, a := range read {
				if d := cmp.Diff(c.fed, a.Fed); d != "" || string(a.Data) != c.dat || a.Subject != "alice" || a.Grant != g.ID {
					t.Errorf("%s, %s: dat %s, fed %s", c.rule, form, a.Data, d)
				}
			}
		}
	}
}

// A token is not made without the claims that it is to be fed.
func TestNoAccessTokenWithoutItsClaims(t *testing.T) {
	i, ten := house(t, 1)
	g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop", Terms: Terms{AccessTokenClaims: []string{"email"}}}
	i.Accounts = known{"down": json.RawMessage("1")}
	if token, _, stored, err := i.MintAccess(t.Context(), ten, g, nil, nil, time.Time{}); !errors.Is(err, oauth.Unavailable()) || token != "" || stored != nil {
		t.Error(token, stored, err)
	}
}

package token

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// A refresh after too long asks for the user, and leaves the refresh token as it was.
func TestARefreshAfterTooLong(t *testing.T) {
	for _, c := range []struct {
		rule       string
		firstParty bool
		limit      int64 // seconds
		after      time.Duration
		asks       bool
	}{
		{"in time", true, 60, time.Minute, false},
		{"too late", true, 60, 61 * time.Second, true},
		{"too late, where there is no limit", true, 0, time.Hour, false},
		{"too late, of a grant of another kind", false, 60, time.Hour, false},
	} {
		w := newWorld(t)
		w.StepUps = w.store
		w.tenant.Settings.Challenge = tenant.ChallengeSettings{Enabled: true, StepUpAfter: c.limit}
		code, g := w.agree("app", func(g *grant.Grant) {
			g.Terms.FirstParty, g.Terms.RefreshToken.Issue, g.Terms.Offline, g.Terms.Login.AuthTime = c.firstParty, true, true, noon.Unix()
		})
		out := w.redeem("app", code)
		w.now = noon.Add(c.after)
		_, err := w.refresh("app", out.RefreshToken)
		up, asks := errors.AsType[*StepUp](err)
		if asks != c.asks || !asks && err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if !asks {
			continue
		}
		if up.AuthSession != "session for alice" || !errors.Is(err, oauth.InsufficientAuthorization("")) || g.Refresh.Generation != 1 {
			t.Errorf("%s: %+v, generation %d", c.rule, up, g.Refresh.Generation)
		}
		w.tenant.Settings.Challenge.StepUpAfter = 0
		if _, err := w.refresh("app", out.RefreshToken); err != nil {
			t.Errorf("%s: the refresh token is used up: %v", c.rule, err)
		}
		w.tenant.Settings.Challenge.StepUpAfter, w.store.down["Reopen"] = 60, errors.New("down")
		if _, err := w.refresh("app", out.RefreshToken); errors.Is(err, oauth.InsufficientAuthorization("")) || err == nil {
			t.Errorf("%s: without a store: %v", c.rule, err)
		}
	}
}

func TestTokensWithAnAuthSession(t *testing.T) {
	for _, c := range []struct {
		rule     string
		settings tenant.ChallengeSettings
		scope    string
		want     string
	}{
		{"of a first-party client", tenant.ChallengeSettings{Enabled: true, TokenSession: true}, "openid a b authorization_challenge", "session for alice"},
		{"of another", tenant.ChallengeSettings{Enabled: true, TokenSession: true}, "openid a b", ""},
		{"unless it is wanted", tenant.ChallengeSettings{Enabled: true}, "openid a b authorization_challenge", ""},
		{"unless the challenge is on", tenant.ChallengeSettings{TokenSession: true}, "openid a b authorization_challenge", ""},
	} {
		w := newWorld(t)
		w.StepUps, w.tenant.Settings.Challenge, w.clients["app"].Scope = w.store, c.settings, c.scope
		code, _ := w.agree("app", nil)
		if out := w.redeem("app", code); out.AuthSession != c.want {
			t.Errorf("%s: %q", c.rule, out.AuthSession)
		}
	}
}

// A password is not enough where its user has a second factor.
func TestPasswordsWithASecondFactor(t *testing.T) {
	for _, c := range []struct {
		rule   string
		params []string
		want   string
	}{
		{"without a code", nil, "invalid_grant: the account has a second factor: otp is missing"},
		{"a wrong code", []string{"otp", "000000"}, "invalid_grant: otp is wrong, or was used before"},
		{"the right one", []string{"otp", "111111"}, ""},
	} {
		w := newWorld(t)
		w.tenant.Settings.Grants.Password.Enabled, w.store.totp = true, "111111"
		w.tenant.Settings.Authentication = tenant.AuthenticationSettings{PasswordACR: []string{"1"}, OTPACR: []string{"2"}}
		out, err := w.password("shop", "alice", "s3cret", c.params...)
		if said(err) != c.want {
			t.Errorf("%s: %v", c.rule, err)
		}
		if err != nil {
			continue
		}
		g := w.store.grants[w.claims(jwtAccess, out.AccessToken)["gid"].(string)]
		if l := g.Terms.Login; l.ACR != "2" || !slices.Equal(l.AMR, []string{"pwd", "otp"}) {
			t.Errorf("%s: %+v", c.rule, l)
		}
	}
	w := newWorld(t)
	w.tenant.Settings.Grants.Password.Enabled, w.store.totp = true, "111111"
	if _, err := w.password("shop", "alice", "wrong", "otp", "111111"); said(err) != badPassword {
		t.Error("a wrong password with the right code:", err)
	}
	w.store.down["CheckTOTP"] = oauth.SlowDown("later").Because(oauth.Wait(time.Minute))
	if _, err := w.password("shop", "alice", "s3cret", "otp", "111111"); oauth.RetryAfter(err) != time.Minute {
		t.Error("too many wrong codes:", err)
	}
}

package authorize

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// seen is a session of alice that authenticated that long ago, under acr.
func seen(ago time.Duration, acr string) *session.Session {
	return &session.Session{Subject: "alice", CreatedAt: noon.Add(-ago), UsedAt: noon, AuthTime: noon.Add(-ago), ACR: acr, MaxLife: 20160, AuthLife: 1440, MaxIdle: 1440}
}

func TestDecide(t *testing.T) {
	age := func(s int64) *int64 { return &s }
	had := func(scope ...string) *grant.Authorization {
		return &grant.Authorization{Scope: scope, UpdatedAt: noon.Add(-48 * time.Hour)}
	}
	const none, login, consent, choose, create = oauth.PromptNone, oauth.PromptLogin, oauth.PromptConsent, oauth.PromptSelectAccount, oauth.PromptCreate
	type (
		R = request.Request
		S = tenant.AuthorizationSettings
		D = Decision
	)
	alice, now := seen(time.Hour, "1"), noon
	known, client, portal := seen(time.Hour, "1"), &tenant.Client{ID: "app", Metadata: tenant.Metadata{SoftwareID: "portal"}}, json.RawMessage(`{"software_id":"portal"}`)
	known.Clients = []string{"app"}
	needLogin := func(why string) D { return D{Outcome: NeedLogin, Why: why} }
	needConsent := func(why string) D { return D{Outcome: NeedConsent, Why: why} }
	approved := D{Outcome: Approved}
	refused := func(e *oauth.Error) D { return D{Outcome: Refused, Err: e} }
	mustLogin, mustConsent := refused(oauth.LoginRequired("the subject must authenticate")), refused(oauth.ConsentRequired("the subject must consent"))

	for _, tt := range []struct {
		rule string
		s    S
		r    R
		f    Facts
		want Decision
	}{
		{"no session", S{}, R{}, Facts{}, needLogin("session")},
		{"a session and remembered consent", S{}, R{Scope: oauth.Scope{"a"}}, Facts{Session: alice, Had: had("a", "b")}, approved},
		{"a session without consent", S{}, R{Scope: oauth.Scope{"a"}}, Facts{Session: alice}, needConsent("new")},
		{"a scope value more than remembered", S{}, R{Scope: oauth.Scope{"a", "b"}}, Facts{Session: alice, Had: had("a")}, needConsent("new")},
		{"a claim more than remembered", S{}, R{Scope: oauth.Scope{"a"}, Claims: &oauth.Claims{UserInfo: map[string]*oauth.Claim{"name": nil}}}, Facts{Session: alice, Had: had("a")}, needConsent("new")},
		{"an essential claim more than remembered", S{}, R{Scope: oauth.Scope{"a"}, Claims: &oauth.Claims{IDToken: map[string]*oauth.Claim{"name": {Essential: true}}}}, Facts{Session: alice, Had: had("a")}, needConsent("new")},
		{"nothing asked, and nothing ever allowed", S{}, R{}, Facts{Session: alice}, needConsent("new")},

		{"prompt=none without a session", S{}, R{Prompt: none}, Facts{}, mustLogin},
		{"prompt=none with a session and consent", S{}, R{Prompt: none, Scope: oauth.Scope{"a"}}, Facts{Session: alice, Had: had("a")}, approved},
		{"prompt=none without consent", S{}, R{Prompt: none, Scope: oauth.Scope{"a"}}, Facts{Session: alice}, mustConsent},
		{"prompt=none where the authentication is too old", S{}, R{Prompt: none, MaxAge: age(60)}, Facts{Session: alice, Had: had()}, mustLogin},
		{"prompt=none where the authentication life has passed", S{}, R{Prompt: none}, Facts{Session: seen(48*time.Hour, ""), Had: had()}, mustLogin},
		{"prompt=none without the essential acr", S{}, R{Prompt: none, EssentialACR: []string{"2"}}, Facts{Session: alice, Had: had()}, mustLogin},
		{"prompt=none without the voluntary acr", S{}, R{Prompt: none, ACRValues: []string{"2"}}, Facts{Session: alice, Had: had()}, mustLogin},
		{"prompt=none and another subject than required", S{}, R{Prompt: none, RequiredSub: "bob"}, Facts{Session: alice, Had: had()}, mustLogin},
		{"prompt=none and the required subject", S{}, R{Prompt: none, RequiredSub: "alice"}, Facts{Session: alice, Had: had()}, approved},
		{"prompt=none where the tenant demands a hint", S{HintWithPromptNone: true}, R{Prompt: none}, Facts{Session: alice, Had: had()},
			refused(oauth.InvalidRequest("prompt=none requires an id_token_hint"))},
		{"prompt=none with the hint demanded", S{HintWithPromptNone: true}, R{Prompt: none, IDTokenHint: "x", RequiredSub: "alice"}, Facts{Session: alice, Had: had()}, approved},
		{"a hint is demanded of prompt=none alone", S{HintWithPromptNone: true}, R{}, Facts{Session: alice, Had: had()}, approved},

		{"prompt=login in spite of a session", S{}, R{Prompt: login}, Facts{Session: alice, Had: had()}, needLogin("prompt")},
		{"prompt=login answered", S{}, R{Prompt: login}, Facts{Session: seen(0, ""), Answered: true, Began: now, Had: had()}, approved},
		{"prompt=login is not answered by a choice", S{}, R{Prompt: login}, Facts{Session: alice, Chosen: true, Had: had()}, needLogin("prompt")},
		{"prompt=create", S{}, R{Prompt: create}, Facts{Session: alice, Had: had()}, needLogin("prompt")},
		{"prompt=create is not answered by a choice", S{}, R{Prompt: create}, Facts{Session: alice, Chosen: true, Had: had()}, needLogin("prompt")},
		{"prompt=select_account", S{}, R{Prompt: choose}, Facts{Session: alice, Had: had()}, needLogin("select_account")},
		{"prompt=select_account answered by a choice", S{}, R{Prompt: choose}, Facts{Session: alice, Chosen: true, Had: had()}, approved},
		{"prompt=select_account answered by authenticating", S{}, R{Prompt: choose}, Facts{Session: alice, Answered: true, Began: now, Had: had()}, approved},
		{"prompt=consent in spite of consent", S{}, R{Prompt: consent}, Facts{Session: alice, Had: had()}, needConsent("prompt")},
		{"prompt=login consent: first the one", S{}, R{Prompt: login | consent}, Facts{Session: alice, Had: had()}, needLogin("prompt")},
		{"prompt=login consent: then the other", S{}, R{Prompt: login | consent}, Facts{Session: alice, Answered: true, Began: now, Had: had()}, needConsent("prompt")},

		{"a hint names another subject", S{}, R{RequiredSub: "bob"}, Facts{Session: alice, Had: had()}, needLogin("required_sub")},
		{"another subject than the hint names answers", S{}, R{RequiredSub: "bob"}, Facts{Session: alice, Answered: true, Began: now, Had: had()},
			refused(oauth.LoginRequired("another subject was asked for"))},
		{"another subject than the hint names is chosen", S{}, R{RequiredSub: "bob"}, Facts{Session: alice, Chosen: true, Had: had()}, needLogin("required_sub")},

		{"the authentication is younger than max_age", S{}, R{MaxAge: age(3600)}, Facts{Session: alice, Had: had()}, approved},
		{"the authentication is older than max_age", S{}, R{MaxAge: age(3599)}, Facts{Session: alice, Had: had()}, needLogin("max_age")},
		{"max_age=0 asks even in the same second", S{}, R{MaxAge: age(0)}, Facts{Session: seen(0, ""), Had: had()}, needLogin("max_age")},
		{"max_age=0 answered", S{}, R{MaxAge: age(0)}, Facts{Session: seen(0, ""), Answered: true, Began: now, Had: had()}, approved},
		{"max_age=0 answered after a while", S{}, R{MaxAge: age(0)}, Facts{Session: seen(time.Minute, ""), Answered: true, Began: now.Add(-2 * time.Minute), Had: had()}, approved},
		{"max_age=0 answered by a clock that is late", S{}, R{MaxAge: age(0)}, Facts{Session: seen(10*time.Second, ""), Answered: true, Began: now, Had: had()}, approved},
		{"max_age=0 answered by an authentication of before", S{}, R{MaxAge: age(0)}, Facts{Session: seen(11*time.Second, ""), Answered: true, Began: now, Had: had()}, needLogin("max_age")},
		{"max_age answered by one that is too old all the same", S{}, R{MaxAge: age(60)}, Facts{Session: alice, Answered: true, Began: now, Had: had()}, needLogin("max_age")},
		{"max_age that no duration can hold", S{}, R{MaxAge: age(1 << 62)}, Facts{Session: alice, Had: had()}, approved},
		{"the authentication life of the session has passed", S{}, R{}, Facts{Session: seen(48*time.Hour, ""), Had: had()}, needLogin("auth_life")},
		{"whoever authenticated now may have done so long ago", S{}, R{}, Facts{Session: seen(48*time.Hour, ""), Answered: true, Began: now, Had: had()}, approved},

		{"the session has the essential acr", S{}, R{EssentialACR: []string{"2", "1"}}, Facts{Session: alice, Had: had()}, approved},
		{"the session lacks the essential acr", S{}, R{EssentialACR: []string{"2"}}, Facts{Session: alice, Had: had()}, needLogin("acr")},
		{"so does the answer", S{}, R{EssentialACR: []string{"2"}}, Facts{Session: alice, Answered: true, Began: now, Had: had()}, needLogin("acr")},
		{"the session lacks the voluntary acr", S{}, R{ACRValues: []string{"2"}}, Facts{Session: alice, Had: had()}, needLogin("acr_values")},
		{"so does the answer, which is enough", S{}, R{ACRValues: []string{"2"}}, Facts{Session: alice, Answered: true, Began: now, Had: had()}, approved},
		{"so does the choice, which is not", S{}, R{ACRValues: []string{"2"}}, Facts{Session: alice, Chosen: true, Had: had()}, needLogin("acr_values")},

		{"the tenant wants no single sign-on", S{AlwaysPromptForAuth: true}, R{}, Facts{Session: alice, Had: had()}, needLogin("always")},
		{"not even by choice", S{AlwaysPromptForAuth: true}, R{}, Facts{Session: alice, Chosen: true, Had: had()}, needLogin("always")},
		{"not even silently", S{AlwaysPromptForAuth: true}, R{Prompt: none}, Facts{Session: alice, Had: had()}, mustLogin},
		{"but an answer", S{AlwaysPromptForAuth: true}, R{}, Facts{Session: alice, Answered: true, Began: now, Had: had()}, approved},
		{"the client wants no single sign-on", S{NoSingleSignOn: portal}, R{}, Facts{Session: alice, Had: had(), Client: client}, needLogin("client")},
		{"not even by choice", S{NoSingleSignOn: portal}, R{}, Facts{Session: alice, Chosen: true, Had: had(), Client: client}, needLogin("client")},
		{"not even silently", S{NoSingleSignOn: portal}, R{Prompt: none}, Facts{Session: alice, Had: had(), Client: client}, mustLogin},
		{"but an answer", S{NoSingleSignOn: portal}, R{}, Facts{Session: alice, Answered: true, Began: now, Had: had(), Client: client}, approved},
		{"or a session in which it got tokens", S{NoSingleSignOn: portal}, R{}, Facts{Session: known, Had: had(), Client: client}, approved},
		{"another client does", S{NoSingleSignOn: portal}, R{}, Facts{Session: alice, Had: had(), Client: &tenant.Client{ID: "shop"}}, approved},
		{"the tenant wants no remembered consent", S{AlwaysPromptForGrant: true}, R{}, Facts{Session: alice, Had: had()}, needConsent("always")},
		{"not even for prompt=none", S{AlwaysPromptForGrant: true}, R{Prompt: none}, Facts{Session: alice, Had: had()}, needConsent("always")},
		{"which still needs a session", S{AlwaysPromptForGrant: true}, R{Prompt: none}, Facts{}, mustLogin},
	} {
		got := Decide(noon, &tenant.Settings{Authorization: tt.s}, &tt.r, tt.f)
		if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(oauth.Error{})); d != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.rule, d)
		}
	}
}

func TestConsentIsForgotten(t *testing.T) {
	r := &request.Request{Scope: oauth.Scope{"a"}}
	f := Facts{Session: seen(0, ""), Had: &grant.Authorization{Scope: oauth.Scope{"a"}, UpdatedAt: noon.Add(-48 * time.Hour)}}
	for _, tt := range []struct {
		rule string
		days int64
		want Outcome
	}{
		{"never, by default", 0, Approved},
		{"not before its time", 2, Approved},
		{"after it", 1, NeedConsent},
	} {
		if got := Decide(noon, &tenant.Settings{Tokens: tenant.TokenSettings{AuthorizationLimit: tt.days}}, r, f); got.Outcome != tt.want {
			t.Errorf("%s: got %+v", tt.rule, got)
		}
	}
}

func TestAsk(t *testing.T) {
	settings := &tenant.Settings{Authorization: tenant.AuthorizationSettings{ClaimsOfScope: map[string][]string{"hr": {"badge", "email"}}}}
	claims := func(s string) *oauth.Claims {
		c, err := oauth.ParseClaims(s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, tt := range []struct {
		rule string
		r    request.Request
		had  *grant.Authorization
		want Asked
	}{
		{"nothing", request.Request{}, nil, Asked{}},
		{"all is new", request.Request{Scope: oauth.Scope{"openid", "email"}}, nil,
			Asked{NewScope: oauth.Scope{"openid", "email"}, New: Names{Voluntary: []string{"email", "email_verified"}}}},
		{"in the order it was asked, parted", request.Request{Scope: oauth.Scope{"b", "openid", "a"}}, &grant.Authorization{Scope: oauth.Scope{"a", "openid", "c"}},
			Asked{NewScope: oauth.Scope{"b"}, ConsentedScope: oauth.Scope{"openid", "a"}}},
		{"a consented claim stays what the client calls it", request.Request{Scope: oauth.Scope{"email"}, Claims: claims(`{"id_token":{"email":{"essential":true},"name":null}}`)},
			&grant.Authorization{Scope: oauth.Scope{"email"}, Claims: []string{"email", "nickname"}},
			Asked{ConsentedScope: oauth.Scope{"email"}, New: Names{Voluntary: []string{"email_verified", "name"}}, Consented: Names{Essential: []string{"email"}}}},
		{"essential in one place is essential", request.Request{Claims: claims(`{"userinfo":{"name":null,"nickname":{"essential":true}},"id_token":{"name":{"essential":true},"nickname":null}}`)}, nil,
			Asked{New: Names{Essential: []string{"name", "nickname"}}}},
		{"a language is no name of its own", request.Request{Claims: claims(`{"userinfo":{"name#es":null,"name#en":{"essential":true}}}`)}, &grant.Authorization{Claims: []string{"name"}},
			Asked{Consented: Names{Essential: []string{"name"}}}},
		{"what tokens always say is not asked", request.Request{Claims: claims(`{"id_token":{"sub":{"value":"x"},"acr":{"essential":true},"auth_time":{"essential":true},"name":null}}`)}, nil,
			Asked{New: Names{Voluntary: []string{"name"}}}},
		{"the tenant's own scope values", request.Request{Scope: oauth.Scope{"hr"}}, nil,
			Asked{NewScope: oauth.Scope{"hr"}, New: Names{Voluntary: []string{"badge", "email"}}}},
	} {
		if d := cmp.Diff(tt.want, Ask(settings, &tt.r, tt.had)); d != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.rule, d)
		}
	}
}

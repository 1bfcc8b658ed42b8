package connect2id

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

const directPath = "/direct-authz/rest/v2"

// order is a direct authorisation of sub for client 8cc2043 with more members.
func order(who, more string) string {
	return `{` + who + `,"client_id":"8cc2043","scope":["openid","email"]` + more + `}`
}

const alice, aliceSession = `"sub":"alice"`, `"sub_session":{"sub":"alice"}`

func (w *world) direct(body string) *httptest.ResponseRecorder {
	return w.call("POST", directPath, body, nil)
}

// granted returns the response to a direct authorisation, or fails.
func (w *world) granted(t *testing.T, body string) (r directResponse) {
	t.Helper()
	rec := w.direct(body)
	if err := json.Unmarshal(rec.Body.Bytes(), &r); err != nil || rec.Code != http.StatusOK || r.AccessToken == "" {
		t.Fatalf("%s: got %d %s", body, rec.Code, rec.Body)
	}
	return r
}

// standing says what stands of acme's subjects: sessions, what is remembered, and what was recorded.
func (w *world) standing(t *testing.T) string {
	t.Helper()
	ctx, id := context.Background(), w.tenants["acme"].ID
	var b strings.Builder
	for _, sub := range []string{"alice", "bob"} {
		ns, err := w.db.Sessions(ctx, id, sub)
		if err != nil {
			t.Fatal(err)
		}
		as, err := w.db.Authorizations(ctx, id, sub)
		if err != nil {
			t.Fatal(err)
		}
		for i := range ns {
			fmt.Fprintln(&b, ns[i])
		}
		fmt.Fprintln(&b, as)
	}
	evs, err := w.db.Events(ctx, id, time.Time{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&b, len(evs))
	return b.String()
}

func TestDirectInput(t *testing.T) {
	object := `{"x":"` + strings.Repeat("x", maxObject) + `"}`
	long, _ := json.Marshal(strings.Repeat("x", maxObject-100))
	each(t, func(t *testing.T, w *world) {
		sid := w.granted(t, order(aliceSession, `,"long_lived":true`)).SubSID
		before := w.standing(t)
		for _, tt := range []struct{ rule, body, want string }{
			{"nothing", `{}`, "exactly one of sub, sub_session and sub_sid must be given"},
			{"nobody", order(`"sub":null,"sub_sid":""`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"a subject twice", order(`"sub":"alice","sub_session":{"sub":"alice"}`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"a session twice", order(`"sub_sid":"`+sid+`","sub_session":{"sub":"alice"}`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"subject and session", order(`"sub":"alice","sub_sid":"`+sid+`"`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"sub in another case", order(`"Sub":"alice"`, ``), "exactly one of sub, sub_session and sub_sid must be given"},
			{"sub is a number", order(`"sub":7`, ``), "The JSON member sub has the wrong type"},
			{"sub is too long", order(`"sub":"`+strings.Repeat("x", 256)+`"`, ``), "sub must have 1 to 255 characters"},
			{"sub has a line break", order(`"sub":"a\nb"`, ``), "sub holds control characters"},
			{"sub is the client", order(`"sub":"8cc2043"`, ``), "sub is the id of the client"},
			{"sub_sid is an object", order(`"sub_sid":{}`, ``), "The JSON member sub_sid has the wrong type"},
			{"sub_session is a text", order(`"sub_session":"alice"`, ``), "The JSON member sub_session has the wrong type"},
			{"sub_session without sub", order(`"sub_session":{}`, ``), "sub_session.sub is missing"},
			{"sub_session.sub is a number", order(`"sub_session":{"sub":7}`, ``), "The JSON member sub_session.sub has the wrong type"},
			{"sub_session.sub is the client", order(`"sub_session":{"sub":"8cc2043"}`, ``), "sub is the id of the client"},
			{"sub_session.auth_time is negative", order(`"sub_session":{"sub":"alice","auth_time":-1}`, ``), "sub_session.auth_time is out of range"},
			{"sub_session.creation_time is beyond time", order(`"sub_session":{"sub":"alice","creation_time":9000000000000000000}`, ``), "sub_session.creation_time is out of range"},
			{"sub_session.auth_time is to come", order(`"sub_session":{"sub":"alice","auth_time":1772366461}`, ``), "auth_time and creation_time must not lie ahead"},
			{"sub_session.amr holds a number", order(`"sub_session":{"sub":"alice","amr":[1]}`, ``), "The JSON member sub_session.amr has the wrong type"},
			{"sub_session is over already", order(`"sub_session":{"sub":"alice","creation_time":0}`, ``), "the session would be over already"},
			{"sub_session contradicts itself", order(`"sub_session":{"sub":"alice","max_life":1,"auth_life":2}`, ``), "max_life must not be less than auth_life, nor auth_life less than max_idle"},
			{"sub_session.claims is an array", order(`"sub_session":{"sub":"alice","claims":[]}`, ``), "sub_session.claims must be an object"},
			{"sub_session.claims names the issuer", order(`"sub_session":{"sub":"alice","claims":{"iss":"x"}}`, ``), "claims holds a name that is not allowed"},
			{"sub_session.data is too long", order(`"sub_session":{"sub":"alice","data":`+object+`}`, ``), "sub_session.data is too long"},
			{"sub_session.jkt", order(`"sub_session":{"sub":"alice","jkt":"x"}`, ``), "sub_session.jkt is not supported"},
			{"no client", `{"sub":"alice","scope":["a"]}`, "client_id is missing"},
			{"client_id is a number", `{"sub":"alice","client_id":8,"scope":["a"]}`, "The JSON member client_id has the wrong type"},
			{"no scope", `{"sub":"alice","client_id":"8cc2043"}`, "scope is missing"},
			{"scope is null", `{"sub":"alice","client_id":"8cc2043","scope":null}`, "scope is missing"},
			{"scope is a text", `{"sub":"alice","client_id":"8cc2043","scope":"a b"}`, "The JSON member scope has the wrong type"},
			{"a scope value is two", `{"sub":"alice","client_id":"8cc2043","scope":["a b"]}`, "scope holds a value that is not allowed"},
			{"a scope value is empty", `{"sub":"alice","client_id":"8cc2043","scope":[""]}`, "scope holds a value that is not allowed"},
			{"scope is too long", `{"sub":"alice","client_id":"8cc2043","scope":["` + strings.Repeat("a", 4097) + `"]}`, "scope is too long"},
			{"scope is an asterisk", `{"sub":"alice","client_id":"8cc2043","scope":["*"]}`, "scope and claims must name their values: nothing was asked that * could stand for"},
			{"claims is an asterisk", order(alice, `,"claims":["*"]`), "scope and claims must name their values: nothing was asked that * could stand for"},
			{"claims is one for the ID token", order(alice, `,"claims":["*"],"claims_transport":"ID_TOKEN"`), "scope and claims must name their values: nothing was asked that * could stand for"},
			{"claims is an object", order(alice, `,"claims":{}`), "The JSON member claims has the wrong type"},
			{"a claim name is quoted", order(alice, `,"claims":["a\"b"]`), "claims holds a name that is not allowed"},
			{"verified claims", order(alice, `,"claims":["verified:email"]`), "claims with the prefix verified: are not supported"},
			{"claims for access tokens", order(alice, `,"claims":["access_token:email"]`), "claims with the prefix access_token: are not supported"},
			{"claims_locales holds no language", order(alice, `,"claims_locales":["<"]`), "claims_locales holds what is not a language tag"},
			{"claims_transport is unknown", order(alice, `,"claims_transport":"userinfo"`), "claims_transport must be USERINFO or ID_TOKEN"},
			{"claims_transport is a list", order(alice, `,"claims_transport":["USERINFO"]`), "The JSON member claims_transport has the wrong type"},
			{"a preset subject", order(alice, `,"preset_claims":{"id_token":{"sub":"x"}}`), "preset_claims holds a name that is not allowed"},
			{"preset_claims.userinfo is a list", order(alice, `,"preset_claims":{"userinfo":[]}`), "The JSON member preset_claims.userinfo has the wrong type"},
			{"claims_data is a text", order(alice, `,"claims_data":"x"`), "claims_data must be an object"},
			{"data is a list", order(alice, `,"data":[]`), "data must be an object"},
			{"data is too long", order(alice, `,"data":`+object), "data is too long"},
			{"data is too long for a token", order(aliceSession, `,"long_lived":true,"data":{"x":`+string(long)+`}`), "a token would be longer than 16 KiB"},
			{"so are preset claims", order(aliceSession, `,"preset_claims":{"id_token":{"x":`+string(long)+`}}`), "a token would be longer than 16 KiB"},
			{"long_lived is a text", order(alice, `,"long_lived":"true"`), "The JSON member long_lived has the wrong type"},
			{"audience holds an empty text", order(alice, `,"audience":[""]`), "audience holds a value that is not allowed"},
			{"audience is a text", order(alice, `,"audience":"a"`), "The JSON member audience has the wrong type"},
			{"access_token is a text", order(alice, `,"access_token":"IDENTIFIER"`), "The JSON member access_token has the wrong type"},
			{"access_token.lifetime is negative", order(alice, `,"access_token":{"lifetime":-1}`), "a lifetime is out of range"},
			{"access_token.lifetime is a fraction", order(alice, `,"access_token":{"lifetime":1.5}`), "The JSON member access_token.lifetime has the wrong type"},
			{"access_token.encoding is unknown", order(alice, `,"access_token":{"encoding":"JWT"}`), "access_token.encoding must be SELF_CONTAINED or IDENTIFIER"},
			{"access_token.encrypt is a number", order(alice, `,"access_token":{"encrypt":1}`), "The JSON member access_token.encrypt has the wrong type"},
			{"pairwise access tokens", order(alice, `,"audience":["x"],"access_token":{"sub_type":"PAIRWISE"}`), "access_token.sub_type PAIRWISE is not supported"},
			{"an algorithm without a key", order(alice, `,"access_token":{"jws_alg":"ES384"}`), "access_token.jws_alg is no algorithm that the tenant has a key for"},
			{"no algorithm", order(alice, `,"access_token":{"jws_alg":"none"}`), "access_token.jws_alg is no algorithm that the tenant has a key for"},
			{"id_token.lifetime is beyond time", order(aliceSession, `,"id_token":{"lifetime":9000000000000000000}`), "a lifetime is out of range"},
			{"id_token.allow_refresh is a text", order(alice, `,"id_token":{"allow_refresh":"x"}`), "The JSON member id_token.allow_refresh has the wrong type"},
			{"refresh_token.issue is a number", order(alice, `,"refresh_token":{"issue":1}`), "The JSON member refresh_token.issue has the wrong type"},
			{"refresh_token.lifetime is negative", order(alice, `,"refresh_token":{"lifetime":-1}`), "a lifetime is out of range"},
			{"two words on the refresh token", order(alice, `,"issue_refresh_token":true,"refresh_token":{"issue":false}`), "issue_refresh_token and refresh_token.issue contradict each other"},
			{"impersonated_sub is a number", order(alice, `,"impersonated_sub":7`), "The JSON member impersonated_sub has the wrong type"},
			{"impersonated_sub is too long", order(alice, `,"impersonated_sub":"`+strings.Repeat("x", 256)+`"`), "impersonated_sub must have 1 to 255 characters, none of them a control character"},
			{"impersonated_sub is the client", order(aliceSession, `,"impersonated_sub":"8cc2043"`), "impersonated_sub is the id of the client"},
			{"two to be impersonated", order(alice, `,"impersonated_sub":"a","id_token":{"impersonated_sub":"b"}`), "impersonated_sub and id_token.impersonated_sub contradict each other"},
		} {
			if rec := w.direct(tt.body); rec.Code != 400 || errorOf(rec) != "invalid_request: "+tt.want {
				t.Errorf("%s: got %d %s", tt.rule, rec.Code, errorOf(rec))
			}
		}
		if after := w.standing(t); after != before {
			t.Errorf("something has changed: %s, then %s", before, after)
		}
		w.granted(t, order(alice, `,"unheard_of":{"x":[1]},"audience":null,"Scope":["b"],"redirect_uri":7`))
		for _, c := range []struct{ method, path string }{{"GET", directPath}, {"PUT", directPath}, {"DELETE", directPath}} {
			if rec := w.call(c.method, c.path, "", nil); rec.Code != 405 {
				t.Errorf("%s: got %d", c.method, rec.Code)
			}
		}
	})
}

// What is another tenant's is as unknown as what never was, to the byte.
func TestDirectIsolation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := func(who string) func(*http.Request) {
			return func(r *http.Request) {
				r.Header.Set("Authorization", "Bearer "+apiToken(who, "authz"))
				r.Header.Set("Tenant-ID", who)
			}
		}
		const never = "WYqFXK7Q4HFnJv0hiT3Fgw.-oVkvSXgalUuMQDfEsh1lA"
		own := w.granted(t, order(aliceSession, "")).SubSID
		var theirs directResponse
		if err := json.Unmarshal(w.call("POST", directPath, order(aliceSession, ""), at("globex")).Body.Bytes(), &theirs); err != nil {
			t.Fatal(err)
		}
		w.tenants["globex"].Clients.(registry)["theirs"] = &tenant.Client{ID: "theirs"}
		before := w.standing(t)
		unknown := w.direct(order(`"sub_sid":"`+never+`"`, ""))
		noClient := w.direct(`{"sub":"alice","client_id":"never","scope":["a"]}`)
		for _, tt := range []struct {
			rule, body string
			status     int
			want       string
		}{
			{"another tenant's session", order(`"sub_sid":"`+theirs.SubSID+`"`, ""), 461, unknown.Body.String()},
			{"the key of a session alone", order(`"sub_sid":"`+own[:22]+`"`, ""), 461, unknown.Body.String()},
			{"a session with another's MAC", order(`"sub_sid":"`+own[:23]+theirs.SubSID[23:]+`"`, ""), 461, unknown.Body.String()},
			{"a session with more behind it", order(`"sub_sid":"`+own+`A"`, ""), 461, unknown.Body.String()},
			{"no session", order(`"sub_sid":"`+strings.Repeat("x", 60<<10)+`"`, ""), 461, unknown.Body.String()},
			{"an access token", order(`"sub_sid":"`+theirs.AccessToken+`"`, ""), 461, unknown.Body.String()},
			{"another tenant's client", `{"sub":"alice","client_id":"theirs","scope":["a"]}`, 460, noClient.Body.String()},
			{"a disabled client", `{"sub":"alice","client_id":"closed","scope":["a"]}`, 460, noClient.Body.String()},
			{"another tenant's client, and session", `{"sub_sid":"` + theirs.SubSID + `","client_id":"theirs","scope":["a"]}`, 460, noClient.Body.String()},
			{"a client of no name", `{"sub":"alice","client_id":" ","scope":["a"]}`, 460, noClient.Body.String()},
			{"a client of another case", `{"sub":"alice","client_id":"8CC2043","scope":["a"]}`, 460, noClient.Body.String()},
		} {
			if rec := w.direct(tt.body); rec.Code != tt.status || rec.Body.String() != tt.want {
				t.Errorf("%s: got %d %s", tt.rule, rec.Code, rec.Body)
			}
		}
		for rule, change := range map[string]func(*http.Request){
			"another tenant's token": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+apiToken("globex", "authz")) },
			"a token for another tenant": func(r *http.Request) {
				r.Header.Set("Tenant-ID", "globex")
			},
			"an expired token": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+apiToken("acme", "expired")) },
			"another API's":    func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+apiToken("acme", "other")) },
			"a client's":       func(r *http.Request) { r.SetBasicAuth("8cc2043", "secret") },
			"no tenant":        func(r *http.Request) { r.Header.Del("Tenant-ID") },
			"two tenants":      func(r *http.Request) { r.Header.Set("Issuer", "https://id.globex.example") },
		} {
			if rec := w.call("POST", directPath, order(aliceSession, ""), change); rec.Code < 400 || rec.Code > 403 {
				t.Errorf("%s: got %d %s", rule, rec.Code, rec.Body)
			}
		}
		if after := w.standing(t); after != before {
			t.Errorf("something has changed: %s, then %s", before, after)
		}
		if rec := w.call("POST", "https://id.acme.example"+directPath, order(aliceSession, ""), func(r *http.Request) { r.Header.Del("Tenant-ID") }); rec.Code != 200 {
			t.Errorf("below the issuer: got %d %s", rec.Code, rec.Body)
		}
	})
}

func TestDirectForDisabledAccounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, ten := context.Background(), w.tenants["acme"]
		sid := w.granted(t, order(aliceSession, "")).SubSID
		for _, sub := range []string{"alice", "bob"} {
			if err := w.db.CreateAccount(ctx, ten.ID, account.Account{Subject: sub, Username: sub, Disabled: true, CreatedAt: noon, UpdatedAt: noon}, audit.Event{}); err != nil {
				t.Fatal(err)
			}
		}
		before := w.standing(t)
		for _, tt := range []struct {
			rule, body string
			status     int
			want       string
		}{
			{"a subject", order(alice, `,"long_lived":true`), 400, "invalid_request: the account of sub is disabled"},
			{"one to begin a session", order(aliceSession, ``), 400, "invalid_request: the account of sub is disabled"},
			{"one whose session is still there", order(`"sub_sid":"`+sid+`"`, ``), 461, "invalid_subject_session_id: The subject session is unknown or over"},
			{"one to be impersonated", order(`"sub":"carol"`, `,"impersonated_sub":"bob"`), 400, "invalid_request: the account of impersonated_sub is disabled"},
			{"one who impersonates", order(`"sub":"bob"`, `,"impersonated_sub":"carol"`), 400, "invalid_request: the account of sub is disabled"},
		} {
			if rec := w.direct(tt.body); rec.Code != tt.status || errorOf(rec) != tt.want {
				t.Errorf("%s: got %d %s", tt.rule, rec.Code, errorOf(rec))
			}
		}
		if after := w.standing(t); after != before {
			t.Errorf("something has changed: %s, then %s", before, after)
		}
	})
}

// active reports whether introspection by client 8cc2043 finds a token alive.
func (w *world) active(t *testing.T, token string) bool {
	t.Helper()
	rec := w.call("POST", "https://id.acme.example/token/introspect", "token="+token, func(r *http.Request) {
		r.Header.Del("Tenant-ID")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("8cc2043", "secret")
	})
	var out struct{ Active bool }
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != 200 {
		t.Fatalf("got %d %s", rec.Code, rec.Body)
	}
	return out.Active
}

// What is transient goes with its session, what has a refresh token stays; a subject keeps its newest five sessions.
func TestDirectSessions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.granted(t, order(aliceSession, ""))
		tokens := map[string]bool{ // whether it outlives the session
			first.AccessToken: false,
			w.granted(t, order(`"sub_sid":"`+first.SubSID+`"`, `,"access_token":{"encoding":"IDENTIFIER"}`)).AccessToken:          false,
			w.granted(t, order(`"sub_sid":"`+first.SubSID+`"`, `,"access_token":{"encrypt":true}`)).AccessToken:                   false,
			w.granted(t, order(`"sub_sid":"`+first.SubSID+`"`, `,"long_lived":true`)).RefreshToken:                                true,
			w.granted(t, order(`"sub_sid":"`+first.SubSID+`"`, `,"long_lived":true,"refresh_token":{"issue":false}`)).AccessToken: false,
			w.granted(t, order(alice, "")).AccessToken:                                                                            true,
		}
		for token := range tokens {
			if !w.active(t, token) {
				t.Errorf("%.40s: is not active", token)
			}
		}
		for range 5 {
			w.move(time.Second)
			w.granted(t, order(aliceSession, ""))
		}
		for token, outlives := range tokens {
			if w.active(t, token) != outlives {
				t.Errorf("%.40s: active is not %v", token, outlives)
			}
		}
		if rec := w.direct(order(`"sub_sid":"`+first.SubSID+`"`, "")); rec.Code != 461 {
			t.Errorf("the oldest session: got %d %s", rec.Code, rec.Body)
		}
		ns, err := w.db.Sessions(context.Background(), w.tenants["acme"].ID, "alice")
		if err != nil || len(ns) != 5 {
			t.Errorf("sessions: %v, %v", ns, err)
		}
	})
}

// A session that ends in the midst of it gives nothing.
func TestDirectWhileTheSessionEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, ten := context.Background(), w.tenants["acme"]
		sid := w.granted(t, order(aliceSession, "")).SubSID
		id, _ := session.ID(sid)
		w.store.before = func() {
			if _, err := w.db.EndSession(ctx, ten.ID, id, noon, noon.Add(time.Hour), audit.Event{}); err != nil {
				t.Error(err)
			}
		}
		if rec := w.direct(order(`"sub_sid":"`+sid+`"`, "")); rec.Code != 461 {
			t.Errorf("got %d %s", rec.Code, rec.Body)
		}
	})
}

func TestDirectIsRecorded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		out := w.granted(t, order(`"sub_session":{"sub":"admin"}`, `,"impersonated_sub":"alice","long_lived":true`))
		id, _ := session.ID(out.SubSID)
		grantID, _, _ := grant.ParseRefreshToken(w.tenants["acme"], out.RefreshToken)
		evs, err := w.db.Events(context.Background(), w.tenants["acme"].ID, time.Time{}, 10)
		if err != nil || len(evs) != 2 {
			t.Fatalf("got %+v, %v", evs, err)
		}
		for _, ev := range evs {
			if ev.Actor != "authz" || ev.Session != id || ev.ClientID != "8cc2043" || ev.Address != "192.0.2.1" || !ev.At.Equal(noon) {
				t.Errorf("got %+v", ev)
			}
			switch ev.Kind {
			case audit.LoggedIn:
				if ev.Subject != "admin" {
					t.Errorf("got %+v", ev)
				}
			case audit.GrantIssued:
				if ev.Subject != "alice" || ev.Grant != grantID || ev.Detail["act_sub"] != "admin" || ev.Detail["scope"] != "openid email" || ev.Detail["grant"] != "direct" {
					t.Errorf("got %+v", ev)
				}
			default:
				t.Errorf("got %+v", ev)
			}
		}
	})
}

func TestDirectStoreDown(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, fault := range []struct {
			rule   string
			err    error
			status int
			want   string
		}{
			{"unreachable", oauth.Unavailable().Because(errors.New("connection refused by 10.0.0.1")), 503, "temporarily_unavailable: The service is temporarily unavailable"},
			{"out of time", context.DeadlineExceeded, 503, "temporarily_unavailable: The service is temporarily unavailable"},
			{"broken", errors.New("syntax error near SELECT"), 500, "server_error"},
		} {
			before := w.standing(t)
			w.store.failWith(fault.err)
			rec := w.direct(order(aliceSession, `,"long_lived":true`))
			w.store.failWith(nil)
			if rec.Code != fault.status || errorOf(rec) != fault.want || (rec.Header().Get("Retry-After") != "") != (rec.Code == 503) {
				t.Errorf("%s: got %d %v %s", fault.rule, rec.Code, rec.Header(), rec.Body)
			}
			if after := w.standing(t); after != before {
				t.Errorf("%s: something has changed: %s, then %s", fault.rule, before, after)
			}
		}
	})
}

// Many at once for one subject and client all get tokens and a session of their own.
func TestDirectAtOnce(t *testing.T) {
	const callers = 64
	each(t, func(t *testing.T, w *world) {
		var wg sync.WaitGroup
		answers := make(chan *httptest.ResponseRecorder, callers)
		for range callers {
			wg.Go(func() {
				answers <- w.direct(order(aliceSession, `,"long_lived":true,"access_token":{"encoding":"IDENTIFIER"}`))
			})
		}
		wg.Wait()
		close(answers)
		seen := map[string]bool{}
		for rec := range answers {
			var r directResponse
			if err := json.Unmarshal(rec.Body.Bytes(), &r); err != nil || rec.Code != 200 {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
			for _, v := range []string{r.AccessToken, r.RefreshToken, r.SubSID} {
				if v == "" || seen[v] {
					t.Errorf("got %q again", v)
				}
				seen[v] = true
			}
		}
	})
}

func TestDirectHeaders(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, body := range []string{order(aliceSession, ""), `{`, order(`"sub_sid":"x"`, "")} {
			h := w.direct(body).Header()
			if h.Get("Cache-Control") != "no-store" || h.Get("Server") != "" || h.Get("Access-Control-Allow-Origin") != "" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") != "application/json" {
				t.Errorf("%s: got %v", body, h)
			}
		}
	})
}

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
		w.tenants["globex"].Clients.(shelf).registry["theirs"] = &tenant.Client{ID: "theirs"}
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

// Who acts as another in an authorization session is on record with both, whether it is remembered or not.
func TestImpersonationIsRecorded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			body string
			kind audit.Kind
		}{
			{`{"scope":["openid"],"impersonated_sub":"boss"}`, audit.Consented},
			{`{"scope":["openid"],"impersonated_sub":"boss","long_lived":false}`, audit.GrantIssued},
		} {
			if rec := w.call("PUT", v3+"/"+w.atConsent(t, "v3"), tt.body, nil); rec.Code != 200 {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
			evs, err := w.db.Events(context.Background(), w.tenants["acme"].ID, time.Time{}, 100)
			n := 0
			for _, ev := range evs {
				if ev.Kind == tt.kind && ev.Subject == "boss" && ev.Detail["act_sub"] == "alice" && ev.Detail["scope"] == "openid" && ev.Grant != "" {
					n++
				}
			}
			if err != nil || n != 1 {
				t.Errorf("%s: %d of %+v, %v", tt.body, n, evs, err)
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

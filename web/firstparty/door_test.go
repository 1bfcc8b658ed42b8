package firstparty

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chancery-id/chancery/flows/challenge"
	"github.com/chancery-id/chancery/tenant"
)

// oneTime is a step that asks for a user name and the one code that is right.
type oneTime string

func (o oneTime) Decide(_ context.Context, _ *tenant.Tenant, in challenge.Input) (challenge.Verdict, error) {
	name, otp := in.Attributes["username"], in.Params.Get("otp")
	switch {
	case name == "":
		return challenge.Verdict{Outcome: challenge.Ask, Code: "otp_required", Keep: map[string]string{"username": in.Params.Get("username"), "otp": otp}}, nil
	case otp != string(o):
		return challenge.Verdict{Outcome: challenge.Ask, Code: "username_or_otp_invalid", Wrong: true}, nil
	}
	return challenge.Verdict{Outcome: challenge.Allow, Subject: name, ACR: "otp", AMR: []string{"otp"}}, nil
}

// app registers a client that names itself only, and returns a function that calls the endpoint as it.
func (w *world) app(t *testing.T) func(query string) *httptest.ResponseRecorder {
	t.Helper()
	issuer := "/t/" + string(w.acme.TenantID)
	rec := w.call("POST", issuer+"/clients", `{"scope": "openid authorization_challenge", "redirect_uris": ["https://app.example/cb"],
		"authorization_challenge_endpoint_auth_method": "none"}`, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+w.acme.APIToken)
	})
	id := member(t, rec, "client_id")
	return func(query string) *httptest.ResponseRecorder {
		return w.call("POST", issuer+"/authorize-challenge", "client_id="+url.QueryEscape(id)+"&"+query, func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		})
	}
}

// member returns a member of a JSON answer, or fails.
func member(t *testing.T, rec *httptest.ResponseRecorder, name string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &m); err != nil {
		t.Fatal(err, rec.Body)
	}
	v, ok := m[name].(string)
	if !ok {
		t.Fatalf("no %s: %d %s", name, rec.Code, rec.Body)
	}
	return v
}

// Of many callers with one auth_session one gets a code, on each engine.
func TestOneCode(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.challenge.Decider = oneTime("1234")
		call := w.app(t)
		s := member(t, call("username=alice"), "auth_session")
		recs := make([]*httptest.ResponseRecorder, 64)
		var wg sync.WaitGroup
		for i := range recs {
			wg.Go(func() { recs[i] = call("otp=1234&auth_session=" + s) })
		}
		wg.Wait()
		codes := 0
		for _, rec := range recs {
			switch {
			case rec.Code == http.StatusOK && member(t, rec, "authorization_code") != "":
				codes++
			case rec.Code != http.StatusBadRequest || member(t, rec, "error") != "invalid_session":
				t.Errorf("got %d %s", rec.Code, rec.Body)
			}
		}
		if codes != 1 {
			t.Errorf("%d codes", codes)
		}
	})
}

// Guessing is limited as at the login page, whatever the auth_session, and the right password does not help then.
func TestGuessing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		call := w.app(t)
		for range 11 { // ten are free
			if rec := call("username=admin&password=wrong"); rec.Code != http.StatusUnauthorized {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
		}
		for _, query := range []string{"username=admin&password=wrong", "username=ADMIN&password=secret&use_auth_session=true&state=s"} {
			rec := call(query)
			if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") != "1" || member(t, rec, "error") != "slow_down" || strings.Contains(rec.Body.String(), "auth_session") {
				t.Errorf("%s: got %d %v %s", query, rec.Code, rec.Header(), rec.Body)
			}
		}
		w.move(t, 2e9)
		if rec := call("username=admin&password=secret"); rec.Code != http.StatusOK {
			t.Errorf("later: got %d %s", rec.Code, rec.Body)
		}
	})
}

func TestBodies(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		call := w.app(t)
		for rule, tt := range map[string]struct {
			query string
			want  int
		}{
			"a body that is too long":                  {"x=" + strings.Repeat("x", maxForm), http.StatusRequestEntityTooLarge},
			"a state that is too long is not repeated": {"state=" + strings.Repeat("x", maxState+1), http.StatusBadRequest},
		} {
			rec := call(tt.query)
			if rec.Code != tt.want || rec.Body.Len() > 1000 || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: got %d %v, %d bytes", rule, rec.Code, rec.Header(), rec.Body.Len())
			}
		}
	})
}

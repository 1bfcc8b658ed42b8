package authorize

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Consent that grows too long to be read back is remembered as it was given last.
func TestRememberedScopeCanBeReadBack(t *testing.T) {
	long := func(letter string) oauth.Scope { return oauth.Scope{strings.Repeat(letter, oauth.MaxScope/2)} }
	had := merge(nil, &grant.Terms{Scope: long("a")}, time.Now())
	for _, c := range []struct {
		rule string
		add  oauth.Scope
		want oauth.Scope
	}{
		{"a little more is added", oauth.Scope{"b"}, long("a").Plus(oauth.Scope{"b"})},
		{"too much takes its place", long("b"), long("b")},
	} {
		if got := merge(had, &grant.Terms{Scope: c.add}, time.Now()).Scope; !got.Equal(c.want) {
			t.Errorf("%s: %d values", c.rule, len(got))
		}
	}
}

// Nor do claims grow without end, however often a client asks for others.
func TestRememberedClaimsHaveALimit(t *testing.T) {
	asked := func(n int) []string {
		var out []string
		for i := range 500 {
			out = append(out, fmt.Sprintf("claim_%d_%d", n, i))
		}
		return out
	}
	var had *grant.Authorization
	for n := range 20 {
		had = merge(had, &grant.Terms{Claims: asked(n)}, time.Now())
		if !slices.Contains(had.Claims, fmt.Sprintf("claim_%d_499", n)) || len(strings.Join(had.Claims, "")) > maxRecorded {
			t.Fatalf("after %d: %d claims", n, len(had.Claims))
		}
	}
	if had = merge(had, &grant.Terms{IDTokenClaims: []string{"email"}}, time.Now()); len(had.Claims) <= 500 {
		t.Errorf("a little more is not added: %d claims", len(had.Claims))
	}
	if had = merge(had, &grant.Terms{Claims: []string{strings.Repeat("x", maxRecorded+1), "y"}}, time.Now()); len(had.Claims) != 2 {
		t.Errorf("what was agreed to at once is not remembered as it is: %d claims", len(had.Claims))
	}
}

// BenchmarkDecide decides on the commonest request: single sign-on with remembered consent.
func BenchmarkDecide(b *testing.B) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &tenant.Settings{}
	r := &request.Request{Scope: oauth.Scope{"openid", "profile", "email"}}
	f := Facts{Session: &session.Session{Subject: "alice", AuthTime: now, MaxLife: -1, AuthLife: -1, MaxIdle: -1}}
	f.Had = &grant.Authorization{Scope: r.Scope, Claims: requestedNames(s, r), UpdatedAt: now}
	b.ReportAllocs()
	for b.Loop() {
		if d := Decide(now, s, r, f); d.Outcome != Approved {
			b.Fatal(d)
		}
	}
}

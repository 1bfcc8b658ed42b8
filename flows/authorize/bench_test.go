package authorize

import (
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

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

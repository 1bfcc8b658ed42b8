package conformance

import (
	"encoding/base64"
	"fmt"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func (k *kit) batch(id string) grant.Batch {
	return grant.Batch{ID: id, Tokens: 2, Code: "A1", Description: mark(k.t), CreatedAt: k.now, ExpiresAt: k.at(time.Hour)}
}

// recordNames returns what the records of those have: the grant and the hash of the token.
func (k *kit) recordNames(w grant.Whose, start, n int) (names []string, total int) {
	k.Helper()
	rs, total, err := k.db.ListRecords(k.ctx, k.t, k.now, w, start, n)
	k.must(err)
	for _, r := range rs {
		name := ""
		if r.Grant != nil {
			name = r.Grant.ID
		}
		if r.Token != nil {
			name += "/" + r.Token.ID
		}
		names = append(names, name)
	}
	return names, total
}

// amended is a change of the grant g and its token a, of which the first is of that revision.
func (k *kit) amended(g *grant.Grant, revision int64, old []byte, a *grant.AccessToken) grant.Amendment {
	g.Revision = revision
	g.Terms.Scope, g.ExpiresAt = oauth.Scope{"less"}, k.at(48*time.Hour)
	g.Refresh.ExpiresAt = k.at(12 * time.Hour)
	return grant.Amendment{Grant: g, Replaced: old, Token: a, Event: k.event(audit.TokenChanged)}
}

var records = []promise{
	{"records are listed by the time that they were made, with the newest token of each", func(k *kit) {
		for i, id := range []string{"first", "second", "third", "revoked", "over", "coded", "bare"} {
			g := k.refreshable(id)
			g.CreatedAt = k.at(time.Duration(i-10) * time.Minute)
			switch id {
			case "second":
				g.Subject, g.ClientID = "bob", "desk"
			case "revoked":
				g.RevokedAt = k.now
			case "over":
				g.ExpiresAt = k.now
			case "coded":
				g.Code = k.grant(id).Code
			}
			k.must(k.db.PutGrant(k.ctx, k.t, g, nil, audit.Event{}))
			if id == "bare" {
				continue
			}
			for j := range 3 { // of which the last is over
				a := k.token(fmt.Sprint(id, j), id)
				a.IssuedAt, a.Subject, a.ClientID = k.at(time.Duration(j)*time.Second), g.Subject, g.ClientID
				if j == 2 {
					a.ExpiresAt = k.now
				}
				k.must(k.db.PutAccessToken(k.ctx, k.t, a))
			}
		}
		alone, over := k.token("alone", ""), k.token("gone", "")
		alone.ClientID, alone.Subject, over.ExpiresAt = "app", "app", k.now
		k.must(k.db.PutAccessToken(k.ctx, k.t, alone))
		k.must(k.db.PutAccessToken(k.ctx, k.t, over))
		newest, err := k.db.NewestToken(k.ctx, k.t, k.now, "first")
		k.must(err)
		k.same(newest.ID, "jti of first1")
		for _, id := range []string{"bare", "revoked", "none", ""} {
			_, err = k.db.NewestToken(k.ctx, k.t, k.now, id)
			k.is(err, grant.ErrNotFound)
		}
		first, second, third, last := "first/jti of first1", "second/jti of second1", "third/jti of third1", "/jti of alone"
		for _, c := range []struct {
			w        grant.Whose
			start, n int
			want     []string
			total    int
		}{
			{grant.Whose{}, 0, 9, []string{first, second, third, "bare", last}, 5},
			{grant.Whose{}, 1, 2, []string{second, third}, 5},
			{grant.Whose{}, 9, 2, nil, 5},
			{grant.Whose{Subject: "alice"}, 0, 9, []string{first, third, "bare"}, 3},
			{grant.Whose{ClientID: "app"}, 0, 9, []string{first, third, "bare", last}, 4},
			{grant.Whose{ClientID: "desk", Subject: "bob"}, 0, 9, []string{second}, 1},
			{grant.Whose{ClientID: "desk", Subject: "alice"}, 0, 9, nil, 0},
			{grant.Whose{Subject: "a\x00b"}, 0, 9, nil, 0},
		} {
			got, total := k.recordNames(c.w, c.start, c.n)
			k.same(got, c.want)
			k.same(total, c.total)
		}
	}},
	{"a grant with its token is changed as one, once for each time that it was read", func(k *kit) {
		g, old := k.refreshable("g"), k.token("old", "g")
		k.must(k.db.PutGrant(k.ctx, k.t, g, &old, audit.Event{}))
		a := k.token("new", "g")
		a.Scope, a.Confirmation, a.Details, a.ExpiresAt = oauth.Scope{"less"}, oauth.Confirmation{X5T: "cert"}, nil, k.at(time.Hour)
		r := tenant.Revocation{Token: old.ID, At: k.now, ExpiresAt: old.ExpiresAt}
		change := k.amended(&g, 0, old.Hash, &a)
		change.Revoked = &r
		k.must(k.db.Amend(k.ctx, k.t, k.now, change))
		got, err := k.db.Grant(k.ctx, k.t, "g")
		k.must(err)
		g.Revision = 1
		k.same(*got, g)
		_, err = k.db.AccessToken(k.ctx, k.t, k.now, old.Hash)
		k.is(err, grant.ErrNotFound)
		changed, err := k.db.AccessToken(k.ctx, k.t, k.now, a.Hash)
		k.must(err)
		k.same(*changed, a)
		k.same(k.journal(), []tenant.Revocation{r})
		k.same(k.events(), []audit.Kind{audit.TokenChanged})
		k.is(k.db.Amend(k.ctx, k.t, k.now, k.amended(&g, 0, a.Hash, &a)), grant.ErrMoved)
		k.must(k.db.Amend(k.ctx, k.t, k.now, k.amended(&g, 1, nil, nil)))
		k.same(len(k.events()), 2)
	}},
	{"what is over is not changed, and then nothing is", func(k *kit) {
		for _, x := range []struct {
			id     string
			change func(*grant.Grant, *grant.AccessToken)
		}{
			{"revoked", func(g *grant.Grant, _ *grant.AccessToken) { g.RevokedAt = k.now }},
			{"expired", func(g *grant.Grant, _ *grant.AccessToken) { g.ExpiresAt = k.now }},
			{"without its token", func(_ *grant.Grant, a *grant.AccessToken) { a.ExpiresAt = k.now }},
		} {
			g, a := k.refreshable(x.id), k.token(x.id, x.id)
			x.change(&g, &a)
			k.must(k.db.PutGrant(k.ctx, k.t, g, &a, audit.Event{}))
			before, err := k.db.Grant(k.ctx, k.t, x.id)
			k.must(err)
			k.is(k.db.Amend(k.ctx, k.t, k.now, k.amended(&g, 0, a.Hash, &a)), grant.ErrNotFound)
			after, err := k.db.Grant(k.ctx, k.t, x.id)
			k.must(err)
			k.same(*after, *before)
		}
		none := k.refreshable("none")
		k.is(k.db.Amend(k.ctx, k.t, k.now, k.amended(&none, 0, nil, nil)), grant.ErrNotFound)
		a := k.token("none", "")
		k.is(k.db.Amend(k.ctx, k.t, k.now, grant.Amendment{Replaced: hash("none"), Token: &a, Event: k.event(audit.TokenChanged)}), grant.ErrNotFound)
		k.same(len(k.events()), 0)
	}},
	{"a token without a grant is replaced, or put in the place of a JWT", func(k *kit) {
		old, a, b := k.token("old", ""), k.token("new", ""), k.token("another", "")
		k.must(k.db.PutAccessToken(k.ctx, k.t, old))
		k.must(k.db.Amend(k.ctx, k.t, k.now, grant.Amendment{Replaced: old.Hash, Token: &a, Event: k.event(audit.TokenChanged)}))
		r := tenant.Revocation{Token: "jwt", At: k.now, ExpiresAt: k.at(time.Hour)}
		k.must(k.db.Amend(k.ctx, k.t, k.now, grant.Amendment{Token: &b, Revoked: &r, Event: k.event(audit.TokenChanged)}))
		for _, want := range []grant.AccessToken{a, b} {
			got, err := k.db.AccessToken(k.ctx, k.t, k.now, want.Hash)
			k.must(err)
			k.same(*got, want)
		}
		k.same(k.journal(), []tenant.Revocation{r})
	}},
	{"using a refresh token leaves its end as it was changed meanwhile", func(k *kit) {
		g := k.refreshable("g")
		k.must(k.db.PutGrant(k.ctx, k.t, g, nil, audit.Event{}))
		next := *g.Refresh
		next.Generation = 2
		k.must(k.db.Amend(k.ctx, k.t, k.now, k.amended(&g, 0, nil, nil)))
		_, err := k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: "g", Presented: 1, Next: next}, grace, k.revocation("g"), audit.Event{})
		k.must(err)
		got, err := k.db.Grant(k.ctx, k.t, "g")
		k.must(err)
		k.same(got.Refresh.ExpiresAt, k.at(12*time.Hour))
	}},
	{"a batch is recorded with all that it made, or nothing is", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("carol"), audit.Event{}))
		k.disable("carol")
		g, a, b := k.refreshable("g"), k.token("a", "g"), k.token("b", "")
		made := []grant.Derivation{{Subject: "alice", Grant: &g, AccessToken: &a, Event: k.event(audit.GrantIssued)}, {AccessToken: &b, Event: k.event(audit.GrantIssued)}}
		barred := append(made[:2:2], grant.Derivation{Subject: "carol"})
		k.is(k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("x"), barred), grant.ErrNotFound)
		k.same(k.lives("a", "b"), 0)
		k.must(k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("x"), made))
		k.same(k.lives("a", "b"), 2)
		got, err := k.db.Batch(k.ctx, k.t, k.at(time.Hour-time.Microsecond), "x")
		k.must(err)
		k.same(*got, k.batch("x"))
		for _, id := range []string{"y", "a\x00b"} {
			_, err = k.db.Batch(k.ctx, k.t, k.now, id)
			k.is(err, grant.ErrNotFound)
		}
		_, err = k.db.Batch(k.ctx, k.t, k.at(time.Hour), "x")
		k.is(err, grant.ErrNotFound)
		k.is(k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("y"), []grant.Derivation{{AccessToken: &b}}), grant.ErrTaken)
		k.is(k.db.Derive(k.ctx, k.t, k.now, grant.Derivation{AccessToken: &b}), grant.ErrTaken)
		k.must(k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("failed"), nil))
	}},
	{"a batch of a hundred is one effect", func(k *kit) {
		var ds []grant.Derivation
		for i := range 100 {
			g, a := k.refreshable(base64.RawURLEncoding.EncodeToString([]byte{byte(i)})), k.token(fmt.Sprint(i), "")
			a.Grant = g.ID
			ds = append(ds, grant.Derivation{Subject: fmt.Sprint("subject", i), Grant: &g, AccessToken: &a, Event: k.event(audit.GrantIssued)})
		}
		k.must(k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("x"), ds))
		_, total := k.recordNames(grant.Whose{}, 0, 1)
		k.same(total, 100)
	}},
}

// lives counts the access tokens of those names that live.
func (k *kit) lives(names ...string) (n int) {
	k.Helper()
	for _, name := range names {
		_, err := k.db.AccessToken(k.ctx, k.t, k.now, hash(name))
		if err == nil {
			n++
		} else {
			k.is(err, grant.ErrNotFound)
		}
	}
	return n
}

// raceAmend: of those who read the same grant one changes it, and of those who rename the same token one does.
func raceAmend(k *kit) {
	g, old := k.refreshable("g"), k.token("old", "g")
	k.must(k.db.PutGrant(k.ctx, k.t, g, &old, audit.Event{}))
	k.oneWins(crowd(func(i int) error {
		g, a := k.refreshable("g"), k.token(fmt.Sprint("new", i), "g")
		return k.db.Amend(k.ctx, k.t, k.now, k.amended(&g, 0, old.Hash, &a))
	}), grant.ErrMoved)
	alone := k.token("alone", "")
	k.must(k.db.PutAccessToken(k.ctx, k.t, alone))
	k.oneWins(crowd(func(i int) error {
		a := k.token(fmt.Sprint("alone", i), "")
		return k.db.Amend(k.ctx, k.t, k.now, grant.Amendment{Replaced: alone.Hash, Token: &a, Event: k.event(audit.TokenChanged)})
	}), grant.ErrNotFound)
}

// raceDeriveAll: of batches that hold the same token one is recorded.
func raceDeriveAll(k *kit) {
	a := k.token("a", "")
	k.oneWins(crowd(func(i int) error {
		b := k.token(fmt.Sprint("b", i), "")
		return k.db.DeriveAll(k.ctx, k.t, k.now, k.batch(fmt.Sprint("x", i)), []grant.Derivation{{AccessToken: &b}, {AccessToken: &a}})
	}), grant.ErrTaken)
	k.same(k.lives("a"), 1)
}

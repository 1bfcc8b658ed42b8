package conformance

import (
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/session"
)

// raced is what happens when many call a method at once, or why nothing can.
type raced struct {
	why  string
	race func(*kit)
}

func (r raced) reason() (string, bool) { return r.why, r.race != nil }

const (
	onlyReads = "it only reads"
	newKey    = "what it records has a random key of its own"
)

var races = all(tenantRaces, accountRaces, flowRaces)

// meetings are different methods that meet over the same thing.
var meetings = []promise{
	{"an interaction is either logged in or finished", func(k *kit) {
		i := k.interaction("h")
		k.must(k.db.Begin(k.ctx, k.t, i, nil))
		errs := crowd(func(n int) (err error) {
			if n%2 == 0 {
				_, err = k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: i})
			} else {
				_, err = k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: i.Hash, Version: 1})
			}
			return err
		})
		k.oneWins(errs, authorize.ErrConflict, authorize.ErrNotFound)
	}},
	{"nothing comes of a session that ends while codes are given and redeemed in it", func(k *kit) {
		for round := range 5 {
			s := k.session("s" + strconv.Itoa(round))
			k.begin(s)
			crowd(func(n int) error {
				if n == callers/2 {
					_, err := k.db.EndSession(k.ctx, k.t, s.ID, k.at(time.Second), k.at(time.Hour), audit.Event{})
					k.is(err, nil)
					return nil
				}
				g := k.grant(s.ID + " grant " + strconv.Itoa(n))
				g.SessionID = s.ID
				_, err := k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Grant: &g, ClientID: strconv.Itoa(n), Touch: true})
				k.is(err, nil)
				_ = k.redeem(g) // which may win or lose
				return nil
			})
			for n := range callers {
				id := s.ID + " grant " + strconv.Itoa(n)
				g, err := k.db.Grant(k.ctx, k.t, id)
				if err == grant.ErrNotFound {
					continue // of the one who ended it
				}
				k.must(err)
				if g.RevokedAt.IsZero() && !g.Code.RedeemedAt.IsZero() {
					k.Errorf("%s was redeemed and stands", id)
				}
				if g.RevokedAt.IsZero() {
					k.is(k.redeem(*g), grant.ErrNotFound)
				}
			}
			_, err := k.db.Session(k.ctx, k.t, s.ID)
			k.is(err, session.ErrNotFound)
		}
	}},
	{"a grant that is revoked while it rotates stays revoked", func(k *kit) {
		id := k.refreshing(nil)
		crowd(func(n int) error {
			if n == callers/2 {
				k.is(k.db.RevokeGrant(k.ctx, k.t, id, k.now, k.revocation(id), audit.Event{}), nil)
				return nil
			}
			_, _ = k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: id, Presented: 1, Next: k.line(1)}, 0, k.revocation(id), audit.Event{})
			return nil
		})
		k.revoked(id)
	}},
}

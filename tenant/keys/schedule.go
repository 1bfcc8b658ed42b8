package keys

import (
	"slices"
	"time"
)

// gone tells whether k has left the JWK set for good.
func (k *Key) gone(now time.Time) bool { return !k.GoneAt.IsZero() && !now.Before(k.GoneAt) }

// unpublishedAt is when k leaves the JWK set; zero: it does not. To a key that has retired nobody shall encrypt anew.
func (k *Key) unpublishedAt() time.Time {
	if opens(k.Alg) && !k.RetiredAt.IsZero() && (k.GoneAt.IsZero() || k.RetiredAt.Before(k.GoneAt)) {
		return k.RetiredAt
	}
	return k.GoneAt
}

// published tells whether k is in the JWK set.
func (k *Key) published(now time.Time) bool {
	end := k.unpublishedAt()
	return !now.Before(k.CreatedAt) && (end.IsZero() || now.Before(end))
}

// retired tells whether k signs no longer.
func (k *Key) retired(now time.Time) bool {
	return !k.RetiredAt.IsZero() && !now.Before(k.RetiredAt) || k.gone(now)
}

// active tells whether k may sign. Nothing signs that is not published.
func (k *Key) active(now time.Time) bool {
	return !k.ActiveAt.IsZero() && !now.Before(k.ActiveAt) && !k.retired(now) && k.published(now)
}

// signsYet tells whether k may sign at now or at some time after it.
func (k *Key) signsYet(now time.Time) bool {
	return !k.ActiveAt.IsZero() && !k.retired(now) && (k.RetiredAt.IsZero() || k.RetiredAt.After(k.ActiveAt))
}

// current returns the index of the key that signs with alg at now, the one most recently activated, or -1.
func current(ks []Key, alg Alg, now time.Time) int {
	best := -1
	for i := range ks {
		k := &ks[i]
		if k.Alg != alg || !k.active(now) {
			continue
		}
		if best < 0 || k.ActiveAt.After(ks[best].ActiveAt) ||
			k.ActiveAt.Equal(ks[best].ActiveAt) && k.ID > ks[best].ID {
			best = i
		}
	}
	return best
}

// Rotate returns the keys after a rotation at now of the algorithm of fresh, a new key. Fresh is published at once
// and signs after lead, the time for which relying parties may keep a JWK set; at that moment the current key and any
// successor still waiting retire, and they are gone life later. A successor whose turn comes before that has it.
//
// life is the longest that a token of these keys lives, counted from its signature and including tokens signed under
// earlier settings; whoever raises the life of tokens while a key is about to retire rotates again. The end of no
// key is brought forward.
//
// Where no key of the algorithm signs now, there is nothing to wait for, and fresh signs at once. Rotate changes
// neither its arguments nor keys of other algorithms, drops nothing, and returns the keys as they are when fresh is
// already among them.
func Rotate(ks []Key, fresh Key, now time.Time, lead, life time.Duration) []Key {
	out := slices.Clone(ks)
	if indexOf(out, fresh.ID) >= 0 {
		return out
	}
	fresh.CreatedAt, fresh.ActiveAt, fresh.RetiredAt, fresh.GoneAt = now, now, time.Time{}, time.Time{}
	if current(out, fresh.Alg, now) >= 0 {
		fresh.ActiveAt = now.Add(max(lead, 0))
	}
	for i := range out {
		k := &out[i]
		if k.Alg != fresh.Alg || !k.signsYet(now) {
			continue
		}
		// All stand in until then, even those that were to retire earlier: should one of them be revoked, another
		// is there. In between, the one most recently activated signs.
		k.RetiredAt = fresh.ActiveAt
		if end := k.RetiredAt.Add(max(life, 0)); k.GoneAt.Before(end) { // a zero time is before all others
			k.GoneAt = end
		}
	}
	return append(out, fresh)
}

// Revoke returns the keys after the key of that kid turned out to be compromised at now: it is gone at once, and so
// are its tokens. The others close the gap where they can: if it was to sign without end, the one that signs last
// now does; if it was signing, a successor already published signs at once. If none is left, the caller rotates. An
// unknown kid, or a key already gone, changes nothing.
func Revoke(ks []Key, kid string, now time.Time) []Key {
	out := slices.Clone(ks)
	i := indexOf(out, kid)
	if i < 0 || out[i].gone(now) {
		return out
	}
	k := &out[i]
	signed := current(out, k.Alg, now) == i
	endless := k.signsYet(now) && k.RetiredAt.IsZero()
	if !k.retired(now) {
		k.RetiredAt = now
	}
	k.GoneAt = now

	first, last := -1, -1 // the others that sign now or later
	for j := range out {
		o := &out[j]
		if o.Alg != k.Alg || !o.signsYet(now) || !o.published(now) {
			continue
		}
		if first < 0 || o.ActiveAt.Before(out[first].ActiveAt) {
			first = j
		}
		if last < 0 || o.ActiveAt.After(out[last].ActiveAt) {
			last = j
		}
	}
	if endless && last >= 0 {
		out[last].RetiredAt, out[last].GoneAt = time.Time{}, time.Time{}
	}
	if signed && first >= 0 && out[first].ActiveAt.After(now) {
		out[first].ActiveAt = now
	}
	return out
}

// Retire returns the keys after algorithm alg has fallen out of use at now: its keys sign no longer, and nobody shall
// encrypt to them. They are gone life later, unless they are to go later still.
func Retire(ks []Key, alg Alg, now time.Time, life time.Duration) []Key {
	out := slices.Clone(ks)
	for i := range out {
		k := &out[i]
		if k.Alg != alg || k.retired(now) {
			continue
		}
		k.RetiredAt = now
		if end := now.Add(max(life, 0)); k.GoneAt.Before(end) {
			k.GoneAt = end
		}
	}
	return out
}

// Prune returns the keys without those gone at now.
func Prune(ks []Key, now time.Time) []Key {
	return slices.DeleteFunc(slices.Clone(ks), func(k Key) bool { return k.gone(now) })
}

func indexOf(ks []Key, kid string) int {
	return slices.IndexFunc(ks, func(k Key) bool { return k.ID == kid })
}

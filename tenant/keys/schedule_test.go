package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// timetable spells the schedules of keys, in minutes after epoch: created, active, retired, gone.
func timetable(ks []Key) string {
	minute := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return fmt.Sprint(t.Sub(epoch).Minutes())
	}
	var out []string
	for _, k := range ks {
		out = append(out, fmt.Sprintf("%s %s %s %s %s", k.ID, minute(k.CreatedAt), minute(k.ActiveAt), minute(k.RetiredAt), minute(k.GoneAt)))
	}
	return strings.Join(out, "; ")
}

// es is an ES256 key of that kid without a pair: a schedule asks for none.
func es(kid string, created, active, retired, gone int) Key {
	return schedule(Key{ID: kid, Alg: ES256}, created, active, retired, gone)
}

func TestRotate(t *testing.T) {
	rs := schedule(Key{ID: "rs", Alg: RS256}, 0, 0, -1, -1)
	for _, c := range []struct {
		rule       string
		ks         []Key
		lead, life time.Duration
		want       string
	}{
		{"the first key signs at once", nil, 10, 60, "new 100 100 - -"},
		{"the current key signs until the new one does, and verifies for another life",
			[]Key{es("a", 0, 0, -1, -1)}, 10, 60, "a 0 0 110 170; new 100 110 - -"},
		{"without a lead the new key takes over at once",
			[]Key{es("a", 0, 0, -1, -1)}, 0, 60, "a 0 0 100 160; new 100 100 - -"},
		{"a negative lead or life counts as none",
			[]Key{es("a", 0, 0, -1, -1)}, -5, -5, "a 0 0 100 100; new 100 100 - -"},
		{"another algorithm is left alone",
			[]Key{rs}, 10, 60, "rs 0 0 - -; new 100 100 - -"},
		{"a retired key is left alone",
			[]Key{es("a", 0, 0, 50, 110), es("b", 40, 50, -1, -1)}, 10, 60, "a 0 0 50 110; b 40 50 110 170; new 100 110 - -"},
		{"a gone key is left alone",
			[]Key{es("a", 0, 0, 50, 60), es("b", 40, 50, -1, -1)}, 10, 60, "a 0 0 50 60; b 40 50 110 170; new 100 110 - -"},
		{"a shorter life brings no end forward",
			[]Key{es("a", 0, 0, 105, 165)}, 10, 1, "a 0 0 110 165; new 100 110 - -"},
		{"a waiting successor gets its turn before the new key",
			[]Key{es("a", 0, 0, 105, 165), es("b", 95, 105, -1, -1)}, 10, 60, "a 0 0 110 170; b 95 105 110 170; new 100 110 - -"},
		{"a waiting successor that the new key overtakes never signs",
			[]Key{es("a", 0, 0, 109, 169), es("b", 99, 109, -1, -1)}, 2, 60, "a 0 0 102 169; b 99 109 102 162; new 100 102 - -"},
		{"when the current key would retire before the new one signs, it goes on",
			[]Key{es("a", 0, 0, 105, 165), es("b", 95, 105, 99, 99)}, 10, 60, "a 0 0 110 170; b 95 105 99 99; new 100 110 - -"},
		{"when nothing signs any more, the new key does at once",
			[]Key{es("a", 0, 0, 99, 159)}, 10, 60, "a 0 0 99 159; new 100 100 - -"},
		{"a key that is to sign at no time is left alone",
			[]Key{es("a", 0, -1, -1, -1)}, 10, 60, "a 0 - - -; new 100 100 - -"},
		{"a successor that was overtaken before stays so",
			[]Key{es("a", 0, 0, -1, -1), es("b", 90, 109, 102, 162)}, 20, 60, "a 0 0 120 180; b 90 109 102 162; new 100 120 - -"},
		{"a key that others have taken over from stands in until the new one signs",
			[]Key{es("a", 0, 0, 102, 162), es("b", 90, 99, -1, -1)}, 10, 60, "a 0 0 110 170; b 90 99 110 170; new 100 110 - -"},
		{"a new key that is there already changes nothing",
			[]Key{es("new", 0, 0, -1, -1)}, 10, 60, "new 0 0 - -"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			before := timetable(c.ks)
			got := Rotate(c.ks, es("new", 7, 7, 7, 7), at(100), c.lead*time.Minute, c.life*time.Minute)
			if timetable(got) != c.want {
				t.Errorf("keys %s\nwant %s", timetable(got), c.want)
			}
			if timetable(c.ks) != before {
				t.Errorf("the argument has changed to %s", timetable(c.ks))
			}
		})
	}
}

func TestRevoke(t *testing.T) {
	rs := schedule(Key{ID: "x", Alg: RS256}, 0, 200, -1, -1)
	for _, c := range []struct {
		rule string
		ks   []Key
		want string
	}{
		{"the key is retired and gone at once", []Key{es("x", 0, 0, -1, -1)}, "x 0 0 100 100"},
		{"a retired key keeps the time of that", []Key{es("x", 0, 0, 50, 150)}, "x 0 0 50 100"},
		{"a gone key stays as it is", []Key{es("x", 0, 0, 50, 60)}, "x 0 0 50 60"},
		{"an unknown kid changes nothing", []Key{es("a", 0, 0, -1, -1)}, "a 0 0 - -"},
		{"a published successor signs at once",
			[]Key{es("x", 0, 0, 105, 165), es("b", 95, 105, -1, -1)}, "x 0 0 100 100; b 95 100 - -"},
		{"the first of several successors does",
			[]Key{es("c", 96, 109, -1, -1), es("x", 0, 0, 105, 165), es("b", 95, 105, 109, 169)},
			"c 96 109 - -; x 0 0 100 100; b 95 100 109 169"},
		{"a successor of another algorithm does not",
			[]Key{es("x", 0, 0, 105, 165), schedule(Key{ID: "b", Alg: RS256}, 95, 105, -1, -1)}, "x 0 0 100 100; b 95 105 - -"},
		{"a key that was to sign at no time does not",
			[]Key{es("x", 0, 0, -1, -1), es("b", 95, -1, -1, -1)}, "x 0 0 100 100; b 95 - - -"},
		{"a key that retires before its turn does not",
			[]Key{es("x", 0, 0, -1, -1), es("b", 95, 110, 105, 165)}, "x 0 0 100 100; b 95 110 105 165"},
		{"a key that is not yet published does not",
			[]Key{es("x", 0, 0, -1, -1), es("b", 105, 105, -1, -1)}, "x 0 0 100 100; b 105 105 - -"},
		{"without its successor the current key goes on",
			[]Key{es("a", 0, 0, 105, 165), es("x", 95, 105, -1, -1)}, "a 0 0 - -; x 95 105 100 100"},
		{"without the last of two successors the first goes on",
			[]Key{es("a", 0, 0, 109, 169), es("b", 95, 105, 109, 169), es("x", 99, 109, -1, -1)},
			"a 0 0 109 169; b 95 105 - -; x 99 109 100 100"},
		{"without the first of two successors the current key keeps its end",
			[]Key{es("a", 0, 0, 109, 169), es("x", 95, 105, 109, 169), es("c", 99, 109, -1, -1)},
			"a 0 0 109 169; x 95 105 100 100; c 99 109 - -"},
		{"a predecessor that is retired stays so",
			[]Key{es("a", 0, 0, 50, 150), es("x", 40, 50, -1, -1)}, "a 0 0 50 150; x 40 50 100 100"},
		{"a retired key prolongs no other", []Key{es("x", 0, 0, 50, 150), es("a", 40, 50, 105, 165)}, "x 0 0 50 100; a 40 50 105 165"},
		{"a key that is active as well takes over as it is",
			[]Key{es("a", 0, 0, 110, 170), es("x", 40, 50, 110, 170), es("c", 95, 110, -1, -1)},
			"a 0 0 110 170; x 40 50 100 100; c 95 110 - -"},
		{"a key that was waiting alone makes no other sign",
			[]Key{rs, schedule(Key{ID: "b", Alg: RS256}, 0, 300, -1, -1)}, "x 0 200 100 100; b 0 300 - -"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			before := timetable(c.ks)
			if got := timetable(Revoke(c.ks, "x", at(100))); got != c.want {
				t.Errorf("keys %s\nwant %s", got, c.want)
			}
			if timetable(c.ks) != before {
				t.Errorf("the argument has changed to %s", timetable(c.ks))
			}
		})
	}
}

func TestPrune(t *testing.T) {
	ks := []Key{es("a", 0, 0, 50, 100), es("b", 0, 0, 50, 101), es("c", 0, 0, -1, -1)}
	if got := timetable(Prune(ks, at(100))); got != "b 0 0 50 101; c 0 0 - -" {
		t.Errorf("keys %s", got)
	}
	if len(ks) != 3 || ks[0].ID != "a" {
		t.Errorf("the argument has changed to %s", timetable(ks))
	}
}

// A life of a tenant's keys: any order of rotations, revocations, prunings and signatures, with time going by.
type life struct {
	now      time.Time
	ks       []Key
	unused   []Key // pairs for rotations to come
	longest  time.Duration
	tokens   []liveToken
	revoked  map[string]bool
	promised map[string]time.Time // by kid: when a relying party that keeps a JWK set for the lead has it
	can      map[Alg]bool         // algorithms that have a key to sign with
}

type liveToken struct {
	compact, kid string
	alg          Alg
	ends         time.Time
}

var lifeAlgs = []Alg{ES256, EdDSA}

func TestEveryLiveTokenVerifiesAtEveryMoment(t *testing.T) {
	var pairs []Key
	for i := range 80 {
		pairs = append(pairs, generate(t, lifeAlgs[i%2], epoch))
	}
	rapid.Check(t, func(t *rapid.T) {
		l := &life{
			now: epoch, unused: pairs, longest: 60 * time.Minute,
			revoked: map[string]bool{}, promised: map[string]time.Time{}, can: map[Alg]bool{},
		}
		t.Repeat(map[string]func(*rapid.T){
			"":       l.check,
			"sign":   l.sign,
			"sign 2": l.sign, // more often than the others
			"wait":   l.wait,
			"rotate": l.rotate,
			"revoke": l.revoke,
			"prune":  l.prune,
		})
	})
}

func (l *life) sign(t *rapid.T) {
	alg := rapid.SampledFrom(lifeAlgs).Draw(t, "alg")
	s := NewSet(l.ks)
	compact, err := s.Sign(context.Background(), l.now, alg, "JWT", []byte(`{"sub":"alice"}`))
	if !l.can[alg] {
		if !errors.Is(err, ErrNoKey) {
			t.Fatalf("signs with %s, without a key: %v", alg, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("does not sign with %s: %v; keys %s", alg, err, timetable(l.ks))
	}
	head, _, _ := strings.Cut(compact, ".")
	h, err := parseHeader(head)
	if err != nil {
		t.Fatal(err)
	}
	if l.revoked[h.Kid] {
		t.Fatalf("signs with a revoked key")
	}
	if l.now.Before(l.promised[h.Kid]) {
		t.Fatalf("signs with %s before relying parties have it; keys %s", h.Kid, timetable(l.ks))
	}
	lives := time.Duration(rapid.IntRange(1, int(l.longest.Minutes())).Draw(t, "lives")) * time.Minute
	l.tokens = append(l.tokens, liveToken{compact, h.Kid, alg, l.now.Add(lives)})
}

func (l *life) wait(t *rapid.T) {
	l.now = l.now.Add(time.Duration(rapid.IntRange(1, 45).Draw(t, "minutes")) * time.Minute)
}

func (l *life) rotate(t *rapid.T) {
	alg := rapid.SampledFrom(lifeAlgs).Draw(t, "alg")
	i := slices.IndexFunc(l.unused, func(k Key) bool { return k.Alg == alg })
	if i < 0 {
		t.Skip("no pairs left")
	}
	fresh := l.unused[i]
	l.unused = slices.Concat(l.unused[:i], l.unused[i+1:])
	lead := time.Duration(rapid.IntRange(0, 30).Draw(t, "lead")) * time.Minute
	more := time.Duration(rapid.IntRange(0, 30).Draw(t, "more life")) * time.Minute
	before := slices.Clone(l.ks)
	got := Rotate(l.ks, fresh, l.now, lead, l.longest+more)
	if !slices.Equal(l.ks, before) {
		t.Fatal("Rotate has changed its argument")
	}
	if len(got) != len(before)+1 {
		t.Fatal("Rotate has dropped a key")
	}
	if l.can[alg] {
		l.promised[fresh.ID] = l.now.Add(lead)
	}
	l.can[alg] = true
	l.ks = got
}

func (l *life) revoke(t *rapid.T) {
	if len(l.ks) == 0 {
		return
	}
	k := rapid.SampledFrom(l.ks).Draw(t, "key")
	l.revoked[k.ID] = true
	before := slices.Clone(l.ks)
	got := Revoke(l.ks, k.ID, l.now)
	if !slices.Equal(l.ks, before) {
		t.Fatal("Revoke has changed its argument")
	}
	l.ks = got
	l.can[k.Alg] = slices.ContainsFunc(l.ks, func(o Key) bool { return o.Alg == k.Alg && o.signsYet(l.now) })
	if i := current(l.ks, k.Alg, l.now); i >= 0 && l.now.Before(l.promised[l.ks[i].ID]) {
		l.promised[l.ks[i].ID] = l.now // better a key that some do not know yet than none
	}
}

func (l *life) prune(t *rapid.T) {
	doc := string(NewSet(l.ks).JWKS(l.now))
	l.ks = Prune(l.ks, l.now)
	if got := string(NewSet(l.ks).JWKS(l.now)); got != doc {
		t.Fatalf("Prune has changed the JWKS from %s to %s", doc, got)
	}
}

// check looks at this moment, and at those to come if nothing more is done.
func (l *life) check(t *rapid.T) {
	l.tokens = slices.DeleteFunc(l.tokens, func(token liveToken) bool { return !l.now.Before(token.ends) })
	s := NewSet(l.ks)
	jwks := s.JWKS(l.now)
	for _, token := range l.tokens {
		payload, err := s.Verify(l.now, "JWT", token.compact)
		stranger := relyingParty(jwks, token.compact)
		if l.revoked[token.kid] {
			if payload != nil || !errors.Is(err, errKid) || stranger == nil {
				t.Fatalf("a token of a revoked key: here %v, elsewhere %v", err, stranger)
			}
			continue
		}
		if err != nil || stranger != nil {
			t.Fatalf("a live token: here %v, elsewhere %v; keys %s", err, stranger, timetable(l.ks))
		}
	}
	for _, alg := range lifeAlgs {
		for _, later := range []time.Duration{0, time.Minute, 10 * time.Minute, 31 * time.Minute, 1000 * time.Hour} {
			now := l.now.Add(later)
			if got := slices.Contains(s.Algs(now), alg); got != l.can[alg] {
				t.Fatalf("%v later, signs with %s: %t, want %t; keys %s", later, alg, got, l.can[alg], timetable(l.ks))
			}
		}
	}
}

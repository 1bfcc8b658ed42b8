package conformance

import (
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// message returns a message to be owed.
func (k *kit) message(id, object string) outbox.Message {
	return outbox.Message{ID: id, Kind: "test", Target: "https://rp.example/" + id, Object: object, Detail: json.RawMessage(`{"a": 1}`),
		Content:   outbound.Content{Type: "application/json", Authorization: "Bearer secret", Body: []byte(mark(k.t))},
		CreatedAt: k.now, NotBefore: k.now, EndsAt: k.at(time.Hour)}
}

func (k *kit) owe(ms ...outbox.Message) {
	k.Helper()
	k.must(k.db.Owe(k.ctx, k.t, ms...))
}

// lease leases up to n messages at a time, for a minute, and returns their ids.
func (k *kit) lease(at time.Time, n int, except ...string) (ids []string) {
	k.Helper()
	ms, err := k.db.Lease(k.ctx, k.t, at, at.Add(time.Minute), n, except)
	k.must(err)
	for _, m := range ms {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

// owes returns the ids of what waits, or of the dead letters.
func (k *kit) owes(dead bool) (ids []string) {
	k.Helper()
	ms, err := k.db.Messages(k.ctx, k.t, dead, "", 1000)
	k.must(err)
	for _, m := range ms {
		ids = append(ids, m.ID)
	}
	return ids
}

var messages = []promise{
	{"a message is leased as it was recorded, and the attempt is counted", func(k *kit) {
		m := k.message("m", "alice")
		bare := outbox.Message{ID: "n", Kind: "bare", Target: "https://rp.example/", CreatedAt: k.now}
		k.owe(m, bare)
		got, err := k.db.Lease(k.ctx, k.t, k.now, k.at(time.Minute), 10, nil)
		k.must(err)
		slices.SortFunc(got, func(a, b outbox.Message) int { return int(a.ID[0]) - int(b.ID[0]) })
		m.Attempts, bare.Attempts, bare.NotBefore, bare.EndsAt = 1, 1, k.now, k.at(outbox.Patience)
		k.same(got, []outbox.Message{m, bare})
	}},
	{"nobody else gets it before its lease ends, and then not whoever was late counts", func(k *kit) {
		k.owe(k.message("m", ""))
		k.same(k.lease(k.now, 10), []string{"m"})
		k.same(k.lease(k.at(59*time.Second), 10), []string(nil))
		k.same(k.lease(k.at(time.Minute), 10), []string{"m"})
		k.must(k.db.Delivered(k.ctx, k.t, "m", 1))
		k.must(k.db.PutOff(k.ctx, k.t, "m", 1, k.now, "late"))
		k.must(k.db.Bury(k.ctx, k.t, "m", 1, k.now, "late"))
		k.same(k.lease(k.at(time.Minute), 10), []string(nil))
		k.same(k.owes(false), []string{"m"})
		k.must(k.db.Delivered(k.ctx, k.t, "m", 2))
		k.same(k.owes(false), []string(nil))
		k.same(k.owes(true), []string(nil))
	}},
	{"one that is put off is due when it is said to be", func(k *kit) {
		k.owe(k.message("m", ""))
		k.lease(k.now, 1)
		k.must(k.db.PutOff(k.ctx, k.t, "m", 1, k.at(10*time.Second), "answered with status 500"))
		k.same(k.lease(k.at(9*time.Second), 1), []string(nil))
		ms, err := k.db.Messages(k.ctx, k.t, false, "", 10)
		k.must(err)
		k.same(ms[0].Cause, "answered with status 500")
		k.same(k.lease(k.at(10*time.Second), 1), []string{"m"})
	}},
	{"one that is not to be sent yet waits", func(k *kit) {
		m := k.message("m", "")
		m.NotBefore = k.at(time.Hour)
		k.owe(m)
		k.same(k.lease(k.at(59*time.Minute), 1), []string(nil))
		k.same(k.lease(k.at(time.Hour), 1), []string{"m"})
	}},
	{"messages of one object come in the order they were recorded, those of none at once", func(k *kit) {
		k.owe(k.message("c", "alice"))
		k.owe(k.message("b", "alice"), k.message("d", "bob"), k.message("e", ""), k.message("f", ""))
		k.owe(k.message("a", "alice"))
		k.same(k.lease(k.now, 10), []string{"c", "d", "e", "f"})
		k.must(k.db.PutOff(k.ctx, k.t, "c", 1, k.at(time.Minute), ""))
		k.same(k.lease(k.now, 10), []string(nil))
		k.same(k.lease(k.at(time.Minute), 10), []string{"c", "d", "e", "f"})
		k.must(k.db.Delivered(k.ctx, k.t, "c", 2))
		k.same(k.lease(k.now, 10), []string{"b"})
		k.must(k.db.Bury(k.ctx, k.t, "b", 1, k.now, "")) // a dead letter holds up nobody
		k.same(k.lease(k.now, 10), []string{"a"})
	}},
	{"targets that rest are passed by, and no more is taken than asked", func(k *kit) {
		k.owe(k.message("a", ""), k.message("b", ""), k.message("c", ""), k.message("d", ""))
		k.same(len(k.lease(k.now, 1, "https://rp.example/b", "https://rp.example/c")), 1)
		k.same(len(k.lease(k.now, 9, "https://rp.example/b", "https://rp.example/c")), 1)
		k.same(k.lease(k.now, 9), []string{"b", "c"})
	}},
	{"dead letters are listed and can be replayed, with all their time before them", func(k *kit) {
		k.owe(k.message("m", ""))
		k.same(k.lease(k.now, 1), []string{"m"})
		k.is(k.replay("m", k.now), outbox.ErrNotFound)
		k.must(k.db.Bury(k.ctx, k.t, "m", 1, k.now, "refused"))
		k.same(k.lease(k.at(2*time.Hour), 1), []string(nil))
		k.same(k.owes(true), []string{"m"})
		later := k.at(2 * time.Hour)
		k.must(k.replay("m", later))
		k.same(k.events(), []audit.Kind{audit.OutboxReplayed})
		k.is(k.replay("m", later), outbox.ErrNotFound)
		k.is(k.replay("none\x00", later), outbox.ErrNotFound)
		k.same(k.owes(true), []string(nil))
		ms, err := k.db.Lease(k.ctx, k.t, later, later.Add(time.Minute), 1, nil)
		k.must(err)
		k.same(ms[0].EndsAt, later.Add(outbox.Patience))
		k.same(ms[0].Attempts, 2)
	}},
	{"dead letters of one target are replayed or dropped together, so many at once, and it is one event", func(k *kit) {
		for id, target := range map[string]string{"a": "https://rp.example/a", "b": "https://rp.example?b", "c": "https://rp.example", "d": "https://rp.example.evil/d",
			"e": "https://rp.example:444/e", "f": "https://rp.example/waits"} {
			m := k.message(id, "")
			m.Target = target
			k.owe(m)
			if id != "f" {
				k.must(k.db.Bury(k.ctx, k.t, id, 0, k.now, "refused"))
			}
		}
		of := outbox.Letters{Target: "https://rp.example"}
		n, err := k.db.Replay(k.ctx, k.t, of, 2, k.now, k.event(audit.OutboxReplayed))
		k.must(err)
		k.same(n, 2)
		k.same(k.owes(true), []string{"c", "d", "e"})
		n, err = k.drop(of, 10)
		k.must(err)
		k.same(n, 1)
		_, err = k.drop(of, 10)
		k.is(err, outbox.ErrNotFound)
		n, err = k.drop(outbox.Letters{}, 10)
		k.must(err)
		k.same(n, 2)
		k.same(k.owes(false), []string{"a", "b", "f"})
		_, err = k.drop(outbox.Letters{ID: "f"}, 10)
		k.must(err)
		k.same(k.owes(false), []string{"a", "b"})
		k.same(k.events(), []audit.Kind{audit.OutboxDropped, audit.OutboxDropped, audit.OutboxDropped, audit.OutboxReplayed})
	}},
	{"tenants that owe something now are found, one by one", func(k *kit) {
		var want []tenant.ID
		own := k.t
		for i := range 5 {
			k.t = tenant.ID(string(own) + "-owing-" + strconv.Itoa(i))
			m := k.message("m", "")
			if i == 2 {
				m.NotBefore = k.at(time.Hour)
			} else {
				want = append(want, k.t)
			}
			for range 3 {
				m.ID = newID()
				k.owe(m)
			}
		}
		first := tenant.ID(string(own) + "-owing-")
		got, err := k.db.Owing(k.ctx, k.now, first, 3)
		k.must(err)
		k.same(got, want[:3])
		got, err = k.db.Owing(k.ctx, k.now, want[2], 1)
		k.must(err)
		k.same(got, want[3:])
		b, err := k.db.Backlog(k.ctx, 10)
		k.must(err)
		if b.Waiting != 10 || b.Oldest.IsZero() || b.Oldest.After(k.now) {
			k.Errorf("%+v", b)
		}
	}},
	{"dead letters are swept after their time", func(k *kit) {
		m := k.message("m", "")
		m.EndsAt = k.at(-outbox.Kept)
		k.owe(m, k.message("n", ""))
		k.must(k.db.Bury(k.ctx, k.t, "m", 0, k.now, ""))
		k.swept(k.now)
		k.same(k.owes(true), []string(nil))
		k.same(k.owes(false), []string{"n"})
	}},
	{"recorded messages are told of", func(k *kit) {
		var told []tenant.ID
		k.db.Owes(func(t tenant.ID) { told = append(told, t) })
		defer k.db.Owes(nil)
		k.owe(k.message("m", ""))
		k.is(k.replay("m", k.now), outbox.ErrNotFound)
		k.same(told, []tenant.ID{k.t})
	}},
	{"recorded events are told of, with which webhooks may be owed", func(k *kit) {
		var told []tenant.ID
		k.db.Happens(func(t tenant.ID) { told = append(told, t) })
		defer k.db.Happens(nil)
		k.must(k.db.Record(k.ctx, k.t, k.event(audit.LoginFailed)))
		k.is(k.db.DeleteAccount(k.ctx, k.t, "nobody", k.now, tenant.Revocation{}, k.event(audit.UserDeleted)), account.ErrNotFound)
		k.owe(k.message("m", ""))
		_, err := k.db.CreateNumbered(k.ctx, k.t, k.client(""), 9, k.event(audit.ClientCreated))
		k.must(err)
		k.same(told, []tenant.ID{k.t, k.t})
	}},
}

// raceLease: each message is taken by one, and of an object the first alone.
func raceLease(k *kit) {
	for i := range 20 {
		k.owe(k.message("m"+strconv.Itoa(i), ""))
	}
	for i := range 5 {
		k.owe(k.message("o"+strconv.Itoa(i), "alice"))
	}
	var mu sync.Mutex
	taken := map[string]int{}
	k.win(crowd(func(int) error {
		ms, err := k.db.Lease(k.ctx, k.t, k.now, k.at(time.Minute), 3, nil)
		mu.Lock()
		defer mu.Unlock()
		for _, m := range ms {
			taken[m.ID]++
		}
		return err
	}), callers)
	for _, id := range k.lease(k.now, 100) { // what all of them passed by
		taken[id]++
	}
	for id, n := range taken {
		if n != 1 {
			k.Errorf("%s is taken %d times", id, n)
		}
	}
	k.same(len(taken), 21)
	k.same(taken["o0"], 1)
}

// raceDelivered: the end of an attempt counts once.
func raceDelivered(k *kit) {
	k.owe(k.message("m", ""))
	k.lease(k.now, 1)
	k.win(crowd(func(int) error { return k.db.Delivered(k.ctx, k.t, "m", 1) }), callers)
	k.same(k.owes(false), []string(nil))
}

func racePutOff(k *kit) {
	k.owe(k.message("m", ""))
	k.lease(k.now, 1)
	k.win(crowd(func(i int) error {
		if i%2 == 0 {
			return k.db.Delivered(k.ctx, k.t, "m", 1)
		}
		return k.db.PutOff(k.ctx, k.t, "m", 1, k.now, "refused")
	}), callers)
	k.same(k.owes(false), []string(nil))
}

func raceBury(k *kit) {
	k.owe(k.message("m", ""))
	k.lease(k.now, 1)
	k.win(crowd(func(i int) error {
		if i%2 == 0 {
			return k.db.PutOff(k.ctx, k.t, "m", 1, k.now, "refused")
		}
		return k.db.Bury(k.ctx, k.t, "m", 1, k.now, "refused")
	}), callers)
	k.same(k.owes(true), []string{"m"})
}

func raceReplay(k *kit) {
	k.owe(k.message("m", ""))
	k.must(k.db.Bury(k.ctx, k.t, "m", 0, k.now, "refused"))
	k.oneWins(crowd(func(int) error { return k.replay("m", k.now) }), outbox.ErrNotFound)
	k.same(k.owes(false), []string{"m"})
	k.same(k.events(), []audit.Kind{audit.OutboxReplayed})
}

// replay replays one dead letter.
func (k *kit) replay(id string, at time.Time) error {
	n, err := k.db.Replay(k.ctx, k.t, outbox.Letters{ID: id}, 10, at, k.event(audit.OutboxReplayed))
	if err == nil {
		k.same(n, 1)
	}
	return err
}

// drop removes messages.
func (k *kit) drop(which outbox.Letters, n int) (int, error) {
	return k.db.Drop(k.ctx, k.t, which, n, k.event(audit.OutboxDropped))
}

func raceDropping(k *kit) {
	k.owe(k.message("m", ""))
	k.oneWins(crowd(func(int) error { _, err := k.drop(outbox.Letters{ID: "m"}, 10); return err }), outbox.ErrNotFound)
	k.same(k.owes(false), []string(nil))
	k.same(k.events(), []audit.Kind{audit.OutboxDropped})
}

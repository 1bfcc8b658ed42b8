package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// memory keeps messages as a database does.
type memory struct {
	mu     sync.Mutex
	rows   []*row
	leases int
	down   error
}

type row struct {
	t    tenant.ID
	m    Message
	due  time.Time
	dead bool
}

func (s *memory) Owe(_ context.Context, t tenant.ID, ms ...Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range ms {
		s.rows = append(s.rows, &row{t: t, m: m, due: m.Due()})
	}
	return s.down
}

func (s *memory) Owing(_ context.Context, now time.Time, after tenant.ID, n int) (ids []tenant.ID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		if !r.dead && !r.due.After(now) && r.t > after && !slices.Contains(ids, r.t) {
			ids = append(ids, r.t)
		}
	}
	slices.Sort(ids)
	return ids[:min(n, len(ids))], s.down
}

func (s *memory) Backlog(context.Context, int) (Backlog, error) { return Backlog{}, nil }

func (s *memory) Lease(_ context.Context, t tenant.ID, now, until time.Time, n int, except []string) (ms []Message, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases++
	busy := map[string]bool{}
	for _, r := range s.rows {
		if r.t != t || r.dead || r.m.Object != "" && busy[r.m.Object] {
			continue
		}
		busy[r.m.Object] = true
		if len(ms) < n && !r.due.After(now) && !slices.Contains(except, r.m.Target) {
			r.due = until
			r.m.Attempts++
			ms = append(ms, r.m)
		}
	}
	return ms, s.down
}

func (s *memory) attempt(id string, attempt int, f func(i int, r *row)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.rows {
		if r.m.ID == id && r.m.Attempts == attempt && !r.dead {
			f(i, r)
			return
		}
	}
}

func (s *memory) Delivered(_ context.Context, _ tenant.ID, id string, attempt int) error {
	s.attempt(id, attempt, func(i int, _ *row) { s.rows = slices.Delete(s.rows, i, i+1) })
	return nil
}

func (s *memory) PutOff(_ context.Context, _ tenant.ID, id string, attempt int, again time.Time, cause string) error {
	s.attempt(id, attempt, func(_ int, r *row) { r.due, r.m.Cause = again, cause })
	return nil
}

func (s *memory) Bury(_ context.Context, _ tenant.ID, id string, attempt int, _ time.Time, cause string) error {
	s.attempt(id, attempt, func(_ int, r *row) { r.dead, r.m.Cause = true, cause })
	return nil
}

func (s *memory) Messages(context.Context, tenant.ID, bool, string, int) ([]Message, error) {
	return nil, nil
}

func (s *memory) Replay(context.Context, tenant.ID, Letters, int, time.Time, audit.Event) (int, error) {
	return 0, nil
}

func (s *memory) Drop(context.Context, tenant.ID, Letters, int, audit.Event) (int, error) {
	return 0, nil
}

func (s *memory) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

// post is a post office that answers by host.
type post struct {
	mu     sync.Mutex
	got    []string // targets, in the order in which they were called
	at     []time.Time
	flying map[string]int
	most   map[string]int
}

var errRefused = fmt.Errorf("%w: answered with status 500", outbound.ErrFailed)

func (p *post) post(ctx context.Context, key, url string, content outbound.Content, _ int64) ([]byte, string, error) {
	p.mu.Lock()
	if p.flying == nil {
		p.flying, p.most = map[string]int{}, map[string]int{}
	}
	p.got, p.at = append(p.got, url+" "+string(content.Body)), append(p.at, time.Now())
	p.flying[url]++
	p.most[url] = max(p.most[url], p.flying[url])
	p.mu.Unlock()
	defer func() { p.mu.Lock(); p.flying[url]--; p.mu.Unlock() }()
	switch {
	case strings.Contains(url, "hangs"):
		time.Sleep(5 * time.Second)
		return nil, "", errRefused
	case strings.Contains(url, "refuses"):
		return nil, "", errRefused
	}
	time.Sleep(10 * time.Millisecond)
	return nil, "", nil
}

func (p *post) calls(part string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.got {
		if strings.Contains(g, part) {
			n++
		}
	}
	return n
}

// world runs f beside a courier, in time of its own.
func world(t *testing.T, prepare func(c *Courier, s *memory), f func(t *testing.T, c *Courier, s *memory, p *post)) {
	synctest.Test(t, func(t *testing.T) {
		s, p := &memory{}, &post{}
		c := &Courier{Now: time.Now, Jitter: func(d time.Duration) time.Duration { return d / 2 }, Store: s, Post: p.post,
			Tenant: func(_ context.Context, id tenant.ID) (*tenant.Tenant, error) { return &tenant.Tenant{ID: id}, nil }}
		if prepare != nil {
			prepare(c, s)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { c.Run(ctx); close(done) }()
		synctest.Wait()
		f(t, c, s, p)
		stop()
		<-done
	})
}

func owe(s *memory, t tenant.ID, target, object string, n int) {
	for i := range n {
		_ = s.Owe(context.Background(), t, Message{ID: fmt.Sprint(t, target, object, i), Target: target, Object: object, CreatedAt: time.Now(),
			Content: outbound.Content{Body: fmt.Append(nil, i)}})
	}
}

func TestWhatIsRecordedHereGoesAtOnceAndElsewhereWithinASecond(t *testing.T) {
	world(t, nil, func(t *testing.T, c *Courier, s *memory, p *post) {
		owe(s, "acme", "https://rp.example/", "", 1)
		c.Recorded("acme")
		synctest.Wait()
		if p.calls("") != 1 {
			t.Error("not at once")
		}
		owe(s, "other", "https://rp.example/", "", 1)
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if s.left() != 0 {
			t.Errorf("%d left", s.left())
		}
	})
}

func TestMessagesOfOneObjectArriveInOrder(t *testing.T) {
	world(t, nil, func(t *testing.T, c *Courier, s *memory, p *post) {
		owe(s, "acme", "https://rp.example/", "alice", 5)
		c.Recorded("acme")
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if want := "https://rp.example/ 0,https://rp.example/ 1,https://rp.example/ 2,https://rp.example/ 3,https://rp.example/ 4"; strings.Join(p.got, ",") != want {
			t.Errorf("got %v", p.got)
		}
	})
}

func TestAHangingTargetSlowsNobodyElse(t *testing.T) {
	world(t, nil, func(t *testing.T, c *Courier, s *memory, p *post) {
		owe(s, "loud", "https://hangs.example/", "", 1000)
		c.Recorded("loud")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		owe(s, "loud", "https://well.example/", "", 10)
		c.Recorded("loud")
		owe(s, "quiet", "https://well.example/quiet", "", 10)
		c.Recorded("quiet")
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if n, m := p.calls("well.example/ "), p.calls("quiet"); n != 10 || m != 10 {
			t.Errorf("%d of the same tenant, %d of another", n, m)
		}
		if n := p.most["https://hangs.example/"]; n > perTarget {
			t.Errorf("%d calls at once", n)
		}
		before := p.calls("hangs")
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := p.calls("hangs") - before; n < 1 || n > 12 {
			t.Errorf("%d calls of the hanging target in a minute", n)
		}
	})
}

// Many messages for a target that hangs, which nobody knows yet, leave room for what the tenant owes others.
func TestATargetTakesNotAllOfItsTenantsPlaces(t *testing.T) {
	world(t, nil, func(t *testing.T, c *Courier, s *memory, p *post) {
		owe(s, "acme", "https://hangs.example/", "", 10)
		owe(s, "acme", "https://well.example/", "", 10)
		c.Recorded("acme")
		time.Sleep(time.Second)
		synctest.Wait()
		if well, hangs := p.calls("well"), p.most["https://hangs.example/"]; well != 10 || hangs != perTarget {
			t.Errorf("%d delivered, %d calls of the one that hangs", well, hangs)
		}
	})
}

// While a target rests, what happens at its tenant reaches the others in the next round, also where a trigger recorded the
// message, of which nobody tells the courier.
func TestATargetThatRestsHoldsUpNoOther(t *testing.T) {
	world(t, nil, func(t *testing.T, c *Courier, s *memory, p *post) {
		owe(s, "acme", "https://refuses.example/", "", 1)
		time.Sleep(40 * time.Second)
		for range 5 { // it rests for longer than that each time
			before := p.calls("well")
			owe(s, "acme", "https://well.example/", "", 1)
			c.Happened("acme")
			time.Sleep(1100 * time.Millisecond)
			synctest.Wait()
			if n := p.calls("well") - before; n != 1 {
				t.Fatalf("%d delivered", n)
			}
		}
	})
}

func TestWhatFailsIsTriedLessAndLessAndThenBuried(t *testing.T) {
	var outcomes []Outcome
	world(t, func(c *Courier, _ *memory) { c.Observe = func(d Delivery) { outcomes = append(outcomes, d.Outcome) } }, func(t *testing.T, c *Courier, s *memory, p *post) {
		owe(s, "acme", "https://refuses.example/", "alice", 1)
		owe(s, "acme", "https://well.example/", "alice", 1)
		c.Recorded("acme")
		time.Sleep(Patience + time.Hour)
		synctest.Wait()
		if n := len(p.got); n < 80 || n > 200 {
			t.Errorf("%d attempts", n)
		}
		var last time.Duration
		for i := 1; i < 8; i++ {
			pause := p.at[i].Sub(p.at[i-1])
			if pause < last {
				t.Errorf("attempt %d after %v, the one before after %v", i+1, pause, last)
			}
			last = pause
		}
		if s.left() != 1 || !s.rows[0].dead || s.rows[0].m.Cause != errRefused.Error() {
			t.Errorf("left: %+v", s.rows)
		}
		if n := len(outcomes); outcomes[n-1] != Sent || outcomes[n-2] != Buried || outcomes[0] != Failed {
			t.Errorf("outcomes: %v", outcomes[max(0, n-3):])
		}
	})
}

func TestAFailingTargetIsNotFlooded(t *testing.T) {
	world(t, nil, func(t *testing.T, c *Courier, s *memory, p *post) {
		owe(s, "acme", "https://refuses.example/", "", 1000)
		c.Recorded("acme")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := len(p.got); n > 20 {
			t.Errorf("%d calls in ten seconds", n)
		}
		if s.leases > 60 {
			t.Errorf("%d leases in ten seconds", s.leases)
		}
	})
}

func TestAKindPreparesItsMessages(t *testing.T) {
	var outcomes []Outcome
	var mu sync.Mutex
	world(t, func(c *Courier, _ *memory) {
		c.Observe = func(d Delivery) { mu.Lock(); outcomes = append(outcomes, d.Outcome); mu.Unlock() }
		c.Kinds = map[Kind]Prepare{"greeting": func(_ context.Context, x *tenant.Tenant, m *Message) (outbound.Content, error) {
			if string(m.Detail) == `"gone"` {
				return outbound.Content{}, ErrMoot
			}
			if string(m.Detail) == `"broken"` {
				return outbound.Content{}, errors.New("no key")
			}
			m.Target = "https://moved.example/"
			return outbound.Content{Body: []byte("hello from " + string(x.ID))}, nil
		}}
	}, func(t *testing.T, c *Courier, s *memory, p *post) {
		for i, d := range []string{`"well"`, `"gone"`, `"broken"`} {
			_ = s.Owe(t.Context(), "acme", Message{ID: fmt.Sprint(i), Kind: "greeting", Target: "https://rp.example/", Detail: json.RawMessage(d), CreatedAt: time.Now()})
		}
		c.Recorded("acme")
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		slices.Sort(outcomes)
		if !slices.Equal(outcomes, []Outcome{Sent, Failed, Moot}) || !slices.Equal(p.got, []string{"https://moved.example/ hello from acme"}) {
			t.Errorf("%v, sent %v", outcomes, p.got)
		}
		if s.left() != 1 || s.rows[0].m.Cause != "not sent: no key" {
			t.Errorf("left %+v", s.rows)
		}
	})
}

func TestAnIdleCourierAsksOnceASecond(t *testing.T) {
	var told atomic.Int64
	world(t, func(c *Courier, s *memory) { s.down, c.Failed = errors.New("down"), func(error) { told.Add(1) } }, func(t *testing.T, c *Courier, s *memory, p *post) {
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := told.Load(); n < 9 || n > 11 || s.leases != 0 {
			t.Errorf("%d looks, %d leases", n, s.leases)
		}
	})
}

package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// rest are the methods that are not called.
type rest = Webhooks

// one is a store of one webhook.
type one struct {
	rest
	w   *Webhook
	err error
}

func (s one) Webhook(context.Context, tenant.ID, string) (*Webhook, error) { return s.w, s.err }

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func acme(t *testing.T) *tenant.Tenant {
	t.Helper()
	secret, err := keys.NewSecret(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &tenant.Tenant{ID: "acme", Secret: secret}
}

func TestAnEventIsToldSigned(t *testing.T) {
	a := acme(t)
	for _, c := range []struct {
		rule string
		w    Webhook
		keys []int64
	}{
		{"by its one secret", Webhook{ID: "w", URL: "https://now.example/", Enabled: true, Secret: 1, PreviousUntil: noon.Add(time.Hour)}, []int64{1}},
		{"by both while the one before lives", Webhook{ID: "w", URL: "https://now.example/", Enabled: true, Secret: 3, PreviousUntil: noon.Add(time.Second)}, []int64{3, 2}},
		{"by the new one alone after that", Webhook{ID: "w", URL: "https://now.example/", Enabled: true, Secret: 3, PreviousUntil: noon}, []int64{3}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			m := &Message{ID: "m1", Target: "https://then.example/", Webhook: "w", Detail: json.RawMessage(
				`{"seq":7,"at":"2026-11-20T11:59:00.5+02:00","kind":"user_created","actor":"admin","sub":"alice","client_id":"","session_id":"","grant_id":"","address":"192.0.2.1","detail":{"k":"v"}}`)}
			got, err := (&Teller{Now: func() time.Time { return noon }, Webhooks: one{w: &c.w}}).Tell(t.Context(), a, m)
			if err != nil || m.Target != c.w.URL {
				t.Fatal(m.Target, err)
			}
			var ks [][]byte
			for _, n := range c.keys {
				ks = append(ks, WebhookKey(a.Secret, "w", n))
			}
			body := `{"type":"user_created","timestamp":"2026-11-20T09:59:00.5Z","data":{"tenant_id":"acme","seq":7,"at":"2026-11-20T09:59:00.5Z","kind":"user_created",` +
				`"actor":"admin","sub":"alice","address":"192.0.2.1","detail":{"k":"v"}}}`
			if d := cmp.Diff(outbound.Signed(ks, "m1", noon, []byte(body)), got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWhatIsNotTold(t *testing.T) {
	down := errors.New("down")
	for _, c := range []struct {
		rule   string
		store  one
		detail string
		want   error
	}{
		{"a webhook that is gone is done with", one{err: ErrNoWebhook}, `{}`, ErrMoot},
		{"one that cannot be read is tried again", one{err: down}, `{}`, down},
		{"one that is disabled is tried again", one{w: &Webhook{Secret: 1}}, `{}`, errDisabled},
	} {
		_, err := (&Teller{Now: time.Now, Webhooks: c.store}).Tell(t.Context(), acme(t), &Message{Detail: json.RawMessage(c.detail)})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

func TestEachWebhookHasSecretsOfItsOwn(t *testing.T) {
	a, seen := acme(t), map[string]bool{}
	for _, id := range []string{"a", "b", "password"} {
		for number := range int64(3) {
			seen[string(WebhookKey(a.Secret, id, number))] = true
		}
	}
	seen[string(tenant.HookKey(a.Secret, "password", 1))] = true
	if len(seen) != 10 {
		t.Error(len(seen))
	}
}

func TestATrialTellsOfNoEvent(t *testing.T) {
	w := Webhook{ID: "w", URL: "https://now.example/", Secret: 1, Enabled: true}
	m := w.Trial("m", noon)
	if KindOf(&m) != TestEvent || m.Object != "" || m.Webhook != "w" {
		t.Errorf("%+v", m)
	}
	for _, k := range audit.Kinds() {
		if k == TestEvent {
			t.Error("it is a kind of event")
		}
	}
	got, err := (&Teller{Now: func() time.Time { return noon }, Webhooks: one{w: &w}}).Tell(t.Context(), acme(t), &m)
	if err != nil || !strings.Contains(string(got.Body), `"type":"webhook_test"`) {
		t.Errorf("%s, %v", got.Body, err)
	}
}

func TestAWebhookWants(t *testing.T) {
	for _, c := range []struct {
		events []audit.Kind
		want   bool
	}{{nil, false}, {[]audit.Kind{audit.UserCreated}, false}, {[]audit.Kind{audit.UserCreated, audit.LoggedIn}, true}, {[]audit.Kind{EveryEvent}, true}} {
		if w := (Webhook{Events: c.events}); w.Wants(audit.LoggedIn) != c.want {
			t.Error(c)
		}
	}
}

// What a later release has recorded is not sent as nothing, but left until there is one that knows it.
func TestAKindThatIsNotKnownIsNotSent(t *testing.T) {
	world(t, nil, func(t *testing.T, c *Courier, s *memory, p *post) {
		_ = s.Owe(t.Context(), "acme", Message{ID: "m", Kind: "later", Target: "https://rp.example/", CreatedAt: time.Now()})
		time.Sleep(5 * time.Second)
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.got) != 0 || s.left() != 1 {
			t.Errorf("sent %v, %d left", p.got, s.left())
		}
	})
}

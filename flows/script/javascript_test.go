package script

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var workers = &Workers{Command: []string{os.Args[0], WorkerCommand}}

// stage is where scripts of tests run.
type stage struct {
	JavaScript
	t     *testing.T
	mu    sync.Mutex
	wrote []Line
}

func newStage(t *testing.T) *stage {
	if !caged {
		t.Skip("this system cannot confine scripts")
	}
	s := &stage{t: t}
	s.JavaScript = JavaScript{Now: time.Now, Rand: rand.Reader, Workers: workers, Host: Host{
		"user.find": func(ctx context.Context, c *Call, args Args) (any, error) {
			var name string
			if err := args.Texts(&name); err != nil {
				return nil, err
			}
			return map[string]any{"sub": "sub-of-" + name, "tenant": c.Tenant.ID}, nil
		},
		"user.verifyPassword": func(ctx context.Context, c *Call, args Args) (any, error) {
			c.Wrong()
			return nil, nil
		},
		"otp.send": func(context.Context, *Call, Args) (any, error) { return nil, errors.New("a secret of ours") },
		"otp.check": func(context.Context, *Call, Args) (any, error) {
			return nil, oauth.SlowDown("wait").Because(oauth.Wait(time.Minute))
		},
		"secret": func(context.Context, *Call, Args) (any, error) { return strings.Repeat("x", maxReply), nil },
		"fetch": func(ctx context.Context, c *Call, args Args) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}, Log: func(_ tenant.ID, _ *Program, _ time.Time, lines []Line) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wrote = append(s.wrote, lines...)
	}}
	return s
}

// of is the program of that source.
func of(source string) *Program {
	return &Program{Name: "test", Version: 1, Digest: Digest(source), Source: source}
}

// handler is a script whose handler has that body.
func handler(body string) string { return "exports.onChallenge = async (event, api) => {" + body + "}" }

func (s *stage) asks(t *tenant.Tenant, source string) (Outcome, error) {
	return s.Run(context.Background(), t, of(source), Event{Hook: tenant.HookChallenge, Client: &tenant.Client{ID: "app"},
		Request: Request{Address: "192.0.2.1"}, Facts: map[string]any{"parameters": map[string]string{"username": "alice"}}})
}

func TestWhatAScriptDecides(t *testing.T) {
	s, acme := newStage(t), acme(t)
	for _, c := range []struct {
		rule, source string
		want         Outcome
		wrong        string // the reason of a failure
	}{
		{"it allows", handler(`api.allow('alice', {acr: '2', amr: ['pwd'], scope: 'a b', claims: {x: 1}})`),
			Outcome{Action: Allow, Subject: "alice", ACR: "2", AMR: []string{"pwd"}, Scope: oauth.Scope{"a", "b"}, Rescoped: true, Claims: map[string]json.RawMessage{"x": json.RawMessage("1")}}, ""},
		{"it asks for more", handler(`api.next('otp_required', {keep: {username: event.parameters.username}})`), Outcome{Action: Next, Code: "otp_required", Keep: map[string]string{"username": "alice"}}, ""},
		{"it denies", handler(`api.deny('locked')`), Outcome{Action: Deny, Code: "locked"}, ""},
		{"without a word", handler(`return api.deny()`), Outcome{Action: Deny, Code: "access_denied"}, ""},
		{"it returns the answer of a hook", handler(`return {action: 'allow', subject: 'bob'}`), Outcome{Action: Allow, Subject: "bob"}, ""},
		{"a function that is not async", `module.exports = {onChallenge(event, api) { api.allow(event.client.client_id) }}`, Outcome{Action: Allow, Subject: "app"}, ""},
		{"it sees the event", handler(`api.allow([event.type, event.tenant_id, event.request.address].join(' '))`), Outcome{Action: Allow, Subject: "challenge acme 192.0.2.1"}, ""},
		{"it asks the server", handler(`const u = await api.user.find('bob'); api.allow(u.sub + '@' + u.tenant)`), Outcome{Action: Allow, Subject: "sub-of-bob@acme"}, ""},
		{"several things at once", handler(`const us = await Promise.all(['a', 'b', 'c'].map(api.user.find)); api.allow(us.map(u => u.sub).join())`),
			Outcome{Action: Allow, Subject: "sub-of-a,sub-of-b,sub-of-c"}, ""},
		{"one after the other", handler(`let s = ''; for (let i = 0; i < 20; i++) s += (await api.user.find(String(i % 10))).sub.at(-1); api.allow(s)`), Outcome{Action: Allow, Subject: "01234567890123456789"}, ""},
		{"a wrong password is a wrong guess", handler(`if (!await api.user.verifyPassword('a', 'b')) api.next('wrong')`), Outcome{Action: Next, Code: "wrong", Wrong: true}, ""},
		{"what is not waited for does not matter", handler(`api.fetch('https://x.example'); api.allow('alice')`), Outcome{Action: Allow, Subject: "alice"}, ""},
		{"it may catch what is refused", handler(`try { await api.user.find(7) } catch (e) { api.deny('x', e.message) }`), Outcome{Action: Deny, Code: "x", Description: "the arguments are of the wrong type"}, ""},
		{"it learns nothing of what is not its business", handler(`try { await api.otp.send('a') } catch (e) { api.deny('x', e.message) }`), Outcome{Action: Deny, Code: "x", Description: "api.otp.send failed"}, ""},
		{"what is not there", handler(`try { await api.totp.check('a', '1') } catch (e) { api.deny('x', e.message) }`), Outcome{Action: Deny, Code: "x", Description: "api.totp.check is not to be had"}, ""},
		{"an answer that is too long", handler(`try { await api.secret('a') } catch (e) { api.deny('x', e.message) }`), Outcome{Action: Deny, Code: "x", Description: "the answer is too long"}, ""},

		{"it throws", handler("\n throw new Error('oh')"), Outcome{}, "the script failed: Error: oh\n\tat script:2:8"},
		{"it throws what is no error", handler(`throw 'oh'`), Outcome{}, "the script failed: oh"},
		{"it throws nothing", handler(`throw undefined`), Outcome{}, "the script failed: undefined"},
		{"it throws what throws", handler(`throw {toString() { throw 1 }}`), Outcome{}, "the script failed"},
		{"it nests too deep", handler(`const f = () => f(); f()`), Outcome{}, "the script failed: RangeError: calls nest too deep"},
		{"it throws when it is loaded", `throw new Error('early')`, Outcome{}, "the script failed: Error: early"},
		{"it is no JavaScript", `exports.onChallenge = (`, Outcome{}, "the script failed: SyntaxError"},
		{"it has no handler", `exports.onPassword = () => {}`, Outcome{}, "the script failed: the script exports no handler of this event"},
		{"its handler is none", `exports.onChallenge = 7`, Outcome{}, "the script failed: the script exports no handler of this event"},
		{"it has no exports", `module.exports = null`, Outcome{}, "the script failed: the script exports no handler of this event"},
		{"it decides nothing", handler(``), Outcome{}, "the script failed: the handler decided nothing"},
		{"it decides twice", handler(`api.allow('alice'); api.deny()`), Outcome{}, "the script failed: Error: the event is decided already"},
		{"it decides two things", handler(`api.deny(); return {action: 'allow', subject: 'alice'}`), Outcome{}, "the script failed: Error: the handler returns another decision than it made"},
		{"it waits for ever", handler(`await new Promise(() => {})`), Outcome{}, "the script failed: the handler waits for what never comes"},
		{"it answers nonsense", handler(`return {action: 'maybe'}`), Outcome{}, "the answer makes no sense: action is neither allow, deny nor next"},
		{"it answers what is not of the contract", handler(`return {action: 'allow', subject: 'a', admin: true}`), Outcome{}, "the answer makes no sense: it has a member that is not of the contract"},
		{"it allows what is no subject", handler(`api.allow({})`), Outcome{}, "the answer makes no sense: subject is of the wrong type, too long or too large"},
		{"it answers too much", handler(`api.deny('x', 'y'.repeat(70000))`), Outcome{}, "the script failed: the decision is too long"},
		{"it answers in circles", handler(`const o = {}; o.o = o; return o`), Outcome{}, "the script failed: TypeError: Converting circular structure to JSON"},
		{"it asks for too much at once", handler(`await Promise.all(Array.from({length: 100}, () => api.user.find('x')))`), Outcome{}, "the script failed: TypeError: too many calls of the api"},
		{"it sends too much", handler(`await api.user.find('x'.repeat(70000))`), Outcome{}, "the script failed: TypeError: the arguments are too long"},
	} {
		s.wrote = nil
		o, err := s.asks(acme, c.source)
		if d := cmp.Diff(c.want, o); d != "" || (err != nil) != (c.wrong != "") {
			t.Errorf("%s: %v %s", c.rule, err, d)
			continue
		}
		if err == nil {
			if len(s.wrote) != 0 {
				t.Errorf("%s: %v", c.rule, s.wrote)
			}
			continue
		}
		if oauth.ErrorOf(err).Code != "server_error" || len(s.wrote) != 1 || s.wrote[0].Level != "error" || !strings.HasPrefix(s.wrote[0].Text, c.wrong) || strings.Contains(s.wrote[0].Text, "chancery") {
			t.Errorf("%s: %v, wrote %q", c.rule, err, s.wrote)
		}
	}
}

func TestAScriptTellsClaims(t *testing.T) {
	s := newStage(t)
	for name, export := range map[string]string{"claims": "onClaims", "claims_hr": "onClaims", "introspection": "onIntrospection"} {
		o, err := s.Run(context.Background(), acme(t), of("exports."+export+" = (event, api) => api.allow(undefined, {claims: {tier: event.type}})"), Event{Hook: name})
		if d := cmp.Diff(Outcome{Action: Allow, Claims: map[string]json.RawMessage{"tier": json.RawMessage(`"` + tenant.HookKind(name) + `"`)}}, o); d != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
}

// A trial tells what the flow would refuse that asks.
func TestTrialsTellWhatTheFlowWouldRefuse(t *testing.T) {
	s := newStage(t)
	s.Refuse = func(ev *Event, o *Outcome) error {
		if o.Subject == "root" && ev.Client.ID == "app" && ev.Request.Scope.Has("a") {
			return errors.New("challenge: the step allows whom it may not")
		}
		return nil
	}
	ev, err := Recorded([]byte(`{"client": {"client_id": "app"}, "request": {"scope": ["a", "b"], "address": "192.0.2.1"}}`))
	if err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[string]string{"alice": "", "root": "the answer makes no sense: the step allows whom it may not"} {
		o, _, err := s.Try(t.Context(), acme(t), of(handler(`api.allow('`+subject+`')`)), ev)
		if (o.Subject == subject) != (want == "") || (err == nil) != (want == "") || err != nil && Reason(err) != want {
			t.Errorf("%s: %v, %v", subject, o, err)
		}
	}
}

// A script that fails for what the server would not do leaves the client to try again.
func TestAScriptFailsForWhatItIsRefused(t *testing.T) {
	s := newStage(t)
	_, err := s.asks(acme(t), handler(`await api.otp.check('a', '1')`))
	if oauth.RetryAfter(err) != time.Minute {
		t.Error(err)
	}
}

// A guess that was wrong counts, whatever the script makes of it, unless it lets the user in by other means.
func TestWrongGuessesCount(t *testing.T) {
	s := newStage(t)
	for body, want := range map[string]bool{
		`await api.user.verifyPassword('a', 'b'); api.next('x')`:            true,
		`await api.user.verifyPassword('a', 'b'); api.deny('x')`:            true,
		`await api.user.verifyPassword('a', 'b'); throw new Error('x')`:     true,
		`await api.user.verifyPassword('a', 'b'); return {action: 'maybe'}`: true,
		`await api.user.verifyPassword('a', 'b'); api.allow('carol')`:       false,
		`await api.user.find('a'); api.deny('x')`:                           false,
	} {
		if o, err := s.asks(acme(t), handler(body)); o.Wrong != want {
			t.Errorf("%s: %+v %v", body, o, err)
		}
	}
}

// What the server could not do is told by its name, and a panic in it ends the call alone.
func TestWhatTheServerFailsAt(t *testing.T) {
	s := newStage(t)
	s.Host["totp.check"] = func(context.Context, *Call, Args) (any, error) { panic("oh") }
	for body, want := range map[string]string{
		`await api.otp.send('a')`:        "the script failed: api.otp.send failed",
		`await api.totp.check('a', '1')`: "the script failed: api.totp.check failed",
		`await api.otp.check('a', '1')`:  "the script failed: too many attempts",
	} {
		s.wrote = nil
		if _, err := s.asks(acme(t), handler(body)); err == nil || len(s.wrote) != 1 || s.wrote[0].Text != want {
			t.Errorf("%s: %v, wrote %q", body, err, s.wrote)
		}
	}
}

// Whatever is asked for and answered at once fits in messages.
func TestManyLargeAnswersAtOnce(t *testing.T) {
	s := newStage(t)
	quotes := strings.Repeat(`"`, maxReply/2-1) // twice as long as JSON, four times as JSON in JSON
	s.Host["secret"] = func(context.Context, *Call, Args) (any, error) { return quotes, nil }
	r := &run{Call: &Call{}}
	answers := make(chan did, maxAsks)
	for range maxAsks {
		answers <- s.Host.do(t.Context(), r.Call, ask{Name: "secret", Args: "[]"})
	}
	for left := maxAsks; left > 0; {
		out, err := r.wait(t.Context(), answers)
		if left -= len(out); err != nil {
			t.Fatal(err)
		}
		if err := send(io.Discard, &order{Answers: out}); err != nil {
			t.Fatalf("%d answers: %v", len(out), err)
		}
	}
	_, err := s.asks(acme(t), handler(`const long = 'x'.repeat(60000), all = []; for (let i = 0; i < 20; i++) all.push(api.user.find(long)); await Promise.all(all); api.deny('x')`))
	if err == nil || errors.Is(err, errDied) {
		t.Error(err)
	}
}

// What makes an event too large is what came with the request, and its sender is told so; but not where nobody sent anything.
func TestEventsThatAreTooLarge(t *testing.T) {
	s, acme := newStage(t), acme(t)
	of := of(handler(`api.deny(typeof event.parameters.x)`) + `; exports.onClaims = () => ({action: 'allow'})`)
	put := func(hook, x string) error {
		_, err := s.Run(t.Context(), acme, of, Event{Hook: hook, Facts: map[string]any{"parameters": map[string]string{"x": x}}})
		return err
	}
	if err := put(tenant.HookChallenge, strings.Repeat("<&>", MaxEvent/4)); err != nil {
		t.Error("what is not too large:", err)
	}
	long := strings.Repeat("x", MaxEvent)
	if err := put(tenant.HookChallenge, long); !errors.Is(err, oauth.InvalidRequest("")) {
		t.Error(err)
	}
	if n := len(s.wrote); n != 1 || s.wrote[0].Text != "not run: the event is too large" {
		t.Error(s.wrote)
	}
	if err := put(tenant.HookClaims, long); err == nil || errors.Is(err, oauth.InvalidRequest("")) {
		t.Error(err)
	}
}

func TestWhatAScriptWrites(t *testing.T) {
	s := newStage(t)
	if _, err := s.asks(acme(t), handler(`console.log('a', 1, {b: 2}); console.error(new TypeError('c')); api.log([1n].length, undefined, 'x'.repeat(5000)); for (let i = 0; i < 1000; i++) console.warn(i); api.deny()`)); err != nil {
		t.Fatal(err)
	}
	if len(s.wrote) != maxLines || s.wrote[0] != (Line{"info", `a 1 {"b":2}`}) || s.wrote[1].Level != "error" || !strings.HasPrefix(s.wrote[1].Text, "TypeError: c") ||
		len(s.wrote[2].Text) != maxLine || s.wrote[3] != (Line{"warn", "0"}) {
		t.Errorf("%.2000q", s.wrote)
	}
}

// Nothing of a call is there in the next one, nor in one of another tenant.
func TestEachCallHasARuntimeOfItsOwn(t *testing.T) {
	s, acme := newStage(t), acme(t)
	globex := *acme
	globex.ID = "globex"
	source := `let seen = globalThis.seen; globalThis.seen = Object.prototype.seen = Array.prototype.seen = JSON.seen = Promise.seen = 'acme was here'
		exports.onChallenge = (event, api) => { api.log.seen = console.seen = event.seen; api.deny('x', String(seen || event.seen || [].seen && '')) }`
	for range 20 {
		for _, of := range []*tenant.Tenant{acme, &globex} {
			o, err := s.asks(of, source)
			if err != nil || strings.Contains(o.Description, "first") {
				t.Fatal(o, err)
			}
			if o.Description != "acme was here" && o.Description != "" {
				t.Errorf("%q", o.Description)
			}
		}
	}
	o, err := s.asks(&globex, handler(`api.deny('x', String(globalThis.seen) + {}.seen + [].seen + JSON.seen + Promise.seen + typeof api.log.seen)`))
	if err != nil || o.Description != strings.Repeat("undefined", 6) {
		t.Error(o, err)
	}
}

const twoSteps = `exports.onChallenge = async (event, api) => {
	if (!event.parameters.otp) return api.next('otp_required', {keep: {username: event.parameters.username}});
	api.allow('alice');
}`

package script

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// Webhook puts events to the URLs that tenants name in their settings. A call is signed as Standard Webhooks says, within
// the hook's time, and bounded in size. It is put once more, under the same id, where it surely was not taken: the
// connection could not be made, or the answer was 429 or 503. What only asks is also put once more where it failed otherwise,
// but for lack of time: what is slow is not asked twice.
type Webhook struct {
	Now  func() time.Time
	Rand io.Reader
	Post func(ctx context.Context, key, url string, content outbound.Content, max int64) (body []byte, contentType string, err error)
	// Pause before the second try.
	Pause time.Duration
	// Observe is told of each event how it ended: allow, deny, next, unavailable, nonsense, or open where the hook was not
	// called. nil: nobody is.
	Observe func(ctx context.Context, t tenant.ID, hook, ended string, took time.Duration)

	breaker breaker
}

// Run puts ev to the hook of its name, which the tenant must have. An answer that is no Outcome is ErrAnswer, any other
// failure temporarily_unavailable.
func (w *Webhook) Run(ctx context.Context, t *tenant.Tenant, ev Event) (Outcome, error) {
	began := w.Now()
	o, err := w.run(ctx, t, &ev, began)
	if w.Observe != nil {
		w.Observe(ctx, t.ID, ev.kind(), ended(o, err), w.Now().Sub(began))
	}
	return o, err
}

func ended(o Outcome, err error) string {
	switch {
	case errors.Is(err, errOpen):
		return "open"
	case errors.Is(err, oauth.Unavailable()):
		return "unavailable"
	case err != nil:
		return "nonsense"
	}
	return string(o.Action)
}

var errNoHook = errors.New("script: the tenant has no such hook")

func (w *Webhook) run(ctx context.Context, t *tenant.Tenant, ev *Event, now time.Time) (Outcome, error) {
	h := t.Settings.Hook(ev.Hook)
	if h == nil {
		return Outcome{}, errNoHook
	}
	body, err := ev.text(t, now)
	if err != nil {
		return Outcome{}, err
	}
	at := hook{t.ID, ev.Hook, h.URL}
	if !w.breaker.enter(at, now) {
		return Outcome{}, oauth.Unavailable().Because(errOpen)
	}
	id := make([]byte, 16)
	_, _ = io.ReadFull(w.Rand, id)
	limited, cancel := context.WithTimeout(ctx, h.Deadline())
	defer cancel()
	answer, contentType, err := w.put(limited, t, ev.Hook, h, "msg_"+base64.RawURLEncoding.EncodeToString(id), body)
	switch {
	case err == nil:
		w.breaker.leave(at, w.Now(), answered)
	case ctx.Err() != nil:
		w.breaker.leave(at, w.Now(), forgotten)
		return Outcome{}, oauth.Unavailable().Because(err)
	case declined(err):
		w.breaker.leave(at, w.Now(), answered)
		return Outcome{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	default:
		w.breaker.leave(at, w.Now(), failed)
		return Outcome{}, oauth.Unavailable().Because(err)
	}
	if contentType != "application/json" {
		return Outcome{}, fmt.Errorf("%w: it is not application/json", ErrAnswer)
	}
	return ParseOutcome(answer)
}

// put posts an event, and once more where that is safe.
func (w *Webhook) put(ctx context.Context, t *tenant.Tenant, name string, h *tenant.Hook, id string, body []byte) (answer []byte, contentType string, err error) {
	for try := range 2 {
		if try > 0 {
			select {
			case <-time.After(w.Pause):
			case <-ctx.Done():
				return nil, "", err
			}
		}
		answer, contentType, err = w.Post(ctx, string(t.ID), h.URL, outbound.Signed(t.HookKeys(name, h), id, w.Now(), body), MaxAnswer)
		if err == nil || !untaken(err) && !(questions[tenant.HookKind(name)] && broken(err)) || ctx.Err() != nil {
			break
		}
	}
	return answer, contentType, err
}

// untaken reports whether the receiver surely did nothing: there was no connection, or it says that it is too busy.
func untaken(err error) bool {
	if status, ok := errors.AsType[outbound.Status](err); ok {
		return status == 429 || status == 503
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// questions are the hooks that only ask: nothing becomes of them at the receiver, however often they are put.
var questions = map[string]bool{tenant.HookClaims: true, tenant.HookIntrospection: true}

// broken reports whether the receiver failed before it could answer.
func broken(err error) bool {
	if status, ok := errors.AsType[outbound.Status](err); ok {
		return status >= 500
	}
	_, network := errors.AsType[*net.OpError](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// declined reports whether the receiver is there but does not understand us: a wrong URL or secret.
func declined(err error) bool {
	status, ok := errors.AsType[outbound.Status](err)
	return ok && status < 500 && status != 429 && status != 408
}

// Secret is a signing key as its receiver is given it.
func Secret(key []byte) string { return outbound.SigningSecret(key) }

// credentials are the parameters that tell secrets, or what stands for them; a hook that is to check one gets it as a fact.
var credentials = []string{
	"client_secret", "client_assertion", "client_assertion_type", "code", "code_verifier", "refresh_token", "password", "otp", "assertion",
	"subject_token", "actor_token", "device_code", "auth_req_id", "token",
}

// known are the parameters that the event has elsewhere.
var known = []string{"grant_type", "client_id", "scope", "resource", "audience", "username", "subject_token_type", "actor_token_type", "requested_token_type"}

// Custom are those of a request's parameters that mean nothing to us.
func Custom(params url.Values) map[string][]string {
	out := map[string][]string{}
	for name, values := range params {
		if !slices.Contains(credentials, name) && !slices.Contains(known, name) {
			out[name] = values
		}
	}
	return out
}

package script

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Program is one version of a tenant's script. It never changes.
type Program struct {
	Name    string
	Version int64
	Digest  string // of the source
	Source  string
}

// MaxSource is the longest source of a script, in bytes.
const MaxSource = 64 << 10

// JavaScript puts events to scripts of tenants, which run in Workers.
type JavaScript struct {
	Now     func() time.Time
	Rand    io.Reader
	Workers *Workers
	Host    Host
	// Log is told what a script wrote, and how its call ended. nil: nobody is.
	Log func(t tenant.ID, p *Program, at time.Time, lines []Line)
	// Refuse tells why nothing would come of what a script answers in a trial, as the flow would that asks. nil: nobody does.
	Refuse func(ev *Event, o *Outcome) error
	// Observe is told of each call how it ended, as that of Webhook.
	Observe func(ctx context.Context, t tenant.ID, hook, ended string, took time.Duration)

	breaker breaker
}

// What a call may take.
const (
	runCPU     = 20 * time.Millisecond  // processor time of a call
	compileCPU = 250 * time.Millisecond // processor time of compiling, once for each worker
	startCPU   = 3 * time.Second        // processor time of a worker that starts
	deadline   = 5 * time.Second        // for all of a call, with what it asks for
)

// How a script fails.
var (
	ErrScript = errors.New("script: the script failed")
	errCPU    = fmt.Errorf("%w: it took more than its %v of processor time", ErrScript, runCPU)
	errWall   = fmt.Errorf("%w: it took more than %v", ErrScript, deadline)
	errDied   = fmt.Errorf("%w: it took too much memory, or nested too deep", ErrScript)
	errForged = fmt.Errorf("%w: its worker broke the rules", ErrScript)
	errSystem = errors.New("script: this system cannot confine scripts")
)

// handlers are the functions that scripts export, by the name of the event.
var handlers = map[string]string{
	tenant.HookChallenge: "onChallenge", tenant.HookClientCredentials: "onClientCredentials", tenant.HookPassword: "onPassword",
	tenant.HookTokenExchange: "onTokenExchange", tenant.HookJWTBearer: "onJWTBearer",
	tenant.HookClaims: "onClaims", tenant.HookIntrospection: "onIntrospection",
}

// Run puts ev to p, of t. A script that fails, or whose answer makes no sense, is ErrScript or ErrAnswer; a call for which there
// is no room is temporarily_unavailable, and so is that of a tenant whose scripts had to be ended too often.
func (j *JavaScript) Run(ctx context.Context, t *tenant.Tenant, p *Program, ev Event) (Outcome, error) {
	o, _, err := j.guarded(ctx, "script", p, &Call{Tenant: t, Event: &ev})
	return o, err
}

// Try is Run for a trial. It returns what the script wrote, too, which Log is not told.
func (j *JavaScript) Try(ctx context.Context, t *tenant.Tenant, p *Program, ev Event) (Outcome, []Line, error) {
	o, lines, err := j.guarded(ctx, "trial", p, &Call{Tenant: t, Event: &ev, Dry: true})
	if err == nil && j.Refuse != nil {
		if err = fault(j.Refuse(&ev, &o)); err != nil {
			o = Outcome{}
		}
	}
	return o, lines, err
}

// Check reports what is wrong with a source, as an ErrScript.
func (j *JavaScript) Check(ctx context.Context, t *tenant.Tenant, source string) error {
	_, _, err := j.guarded(ctx, "trial", &Program{Source: source}, &Call{Tenant: t, Dry: true})
	return err
}

// guarded runs a call where the breaker lets it.
func (j *JavaScript) guarded(ctx context.Context, kind string, p *Program, c *Call) (Outcome, []Line, error) {
	began, at := j.Now(), hook{tenant: c.Tenant.ID, name: kind}
	if !caged {
		return Outcome{}, nil, errSystem
	}
	if !j.breaker.enter(at, began) {
		j.note(ctx, p, c, began, nil, "", oauth.Unavailable().Because(errOpen))
		return Outcome{}, nil, oauth.Unavailable().Because(errOpen)
	}
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	r := &run{Call: c, script: j, program: p, room: maxLines}
	text, err := r.all(limited)
	switch {
	case ctx.Err() != nil:
		err = oauth.Unavailable().Because(context.Cause(ctx))
	case errors.Is(err, errBusy), errors.Is(err, context.DeadlineExceeded) && !r.ran:
		err = oauth.Unavailable().Because(err)
	case errors.Is(err, context.DeadlineExceeded):
		err = errWall
	}
	switch {
	case errors.Is(err, errCPU), errors.Is(err, errDied), errors.Is(err, errWall), errors.Is(err, errForged):
		j.breaker.leave(at, j.Now(), failed)
	case errors.Is(err, oauth.Unavailable()):
		j.breaker.leave(at, j.Now(), forgotten)
	default:
		j.breaker.leave(at, j.Now(), answered)
	}
	var o Outcome
	if err == nil && c.Event != nil {
		o, err = ParseOutcome([]byte(text))
	}
	if r.wrong && o.Action != Allow {
		o.Wrong = true
	}
	if _, ok := errors.AsType[threw](err); ok && r.refusal != nil {
		err = r.refusal // it failed for what we could not do
	}
	j.note(ctx, p, c, began, r.lines, string(o.Action), err)
	return o, r.lines, err
}

// note tells what became of a call.
func (j *JavaScript) note(ctx context.Context, p *Program, c *Call, began time.Time, lines []Line, action string, err error) {
	if c.Dry {
		return
	}
	if err != nil {
		lines = append(lines, Line{"error", Clip(Reason(err), maxLine)})
	}
	if j.Log != nil && len(lines) > 0 {
		j.Log(c.Tenant.ID, p, began, lines)
	}
	if j.Observe != nil {
		how := cmp.Or(action, "failed")
		switch {
		case errors.Is(err, errOpen):
			how = "open"
		case errors.Is(err, oauth.Unavailable()):
			how = "unavailable"
		}
		j.Observe(ctx, c.Tenant.ID, "script."+c.Event.kind(), how, j.Now().Sub(began))
	}
}

// blame tells the log of t why nothing can come of what p answered at that time.
func (j *JavaScript) blame(t tenant.ID, p *Program, at time.Time, err error) {
	if err = fault(err); err != nil && j.Log != nil {
		j.Log(t, p, at, []Line{{"error", Clip(Reason(err), maxLine)}})
	}
}

// fault is the ErrAnswer of what a flow finds wrong with an answer, without the name of the flow; nil is nothing.
func fault(err error) error {
	if err == nil {
		return nil
	}
	if _, why, said := strings.Cut(err.Error(), ": "); said {
		return fmt.Errorf("%w: %s", ErrAnswer, why)
	}
	return ErrAnswer
}

// Reason is err in words for the tenant whose script it is.
func Reason(err error) string {
	switch {
	case errors.Is(err, errOpen):
		return "not run: the tenant's scripts had to be ended too often, and pause"
	case errors.Is(err, errEventSize):
		return "not run: the event is too large"
	case errors.Is(err, ErrScript), errors.Is(err, ErrAnswer):
		return strings.TrimPrefix(err.Error(), "script: ")
	}
	if u, ok := errors.AsType[unserved](err); ok {
		return "the script failed: " + u.said()
	}
	switch {
	case errors.Is(err, oauth.Unavailable()):
		return "not run, or not to the end: the server had no room or no time"
	}
	return "failed: " + oauth.ErrorOf(err).Code
}

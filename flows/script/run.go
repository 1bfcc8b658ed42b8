package script

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
)

// run is a Call on its way.
type run struct {
	*Call
	script  *JavaScript
	program *Program
	worker  *process
	id      string // that the worker must repeat, and nobody else knows
	used    time.Duration
	ran     bool          // the script did something, however little time the kernel has counted yet
	waited  time.Duration // for what it asked for
	asked   int           // what the script asked for so far
	lines   []Line
	room    int // lines left
	sound   bool
}

// threw is what went wrong in the script itself.
type threw string

func (e threw) Error() string        { return ErrScript.Error() + ": " + string(e) }
func (e threw) Is(target error) bool { return target == ErrScript }

// all runs the call from its beginning to its end, and returns the answer. Without an event it only compiles.
func (r *run) all(ctx context.Context) (string, error) {
	id := make([]byte, 16)
	if _, err := io.ReadFull(r.script.Rand, id); err != nil {
		return "", err
	}
	r.id = base64.RawURLEncoding.EncodeToString(id)
	var event string
	if r.Event != nil {
		var err error
		if event, err = r.Event.flat(r.Tenant, r.script.Now()); err != nil {
			return "", err
		}
	}
	key := string(r.Tenant.ID) + " " + r.program.Digest // a script that is not the same is another, whatever it is called
	var err error
	if r.worker, err = r.script.Workers.lease(ctx, r.Tenant.ID, key); err != nil {
		return "", err
	}
	defer func() { r.script.Workers.release(r.Tenant.ID, r.worker, !r.sound) }()
	if r.worker.cmd == nil {
		if _, _, err := r.script.Workers.take(ctx, r.worker, r.Tenant.ID, startCPU, nil); err != nil {
			if errors.Is(err, ErrScript) { // it is not the script's fault
				err = oauth.Unavailable().Because(err)
			}
			return "", err
		}
	}
	if r.Event == nil {
		return "", r.compile(ctx, "")
	}
	return r.decide(ctx, key, event)
}

// compile has the worker compile the program, and keep it as key.
func (r *run) compile(ctx context.Context, key string) error {
	got, err := r.take(ctx, compileCPU, &order{Program: key, Source: r.program.Source})
	switch {
	case err != nil:
		return err
	case got.Error != "":
		return threw(got.Error)
	}
	r.worker.holds[key] = true
	return nil
}

// decide runs the script until it has decided.
func (r *run) decide(ctx context.Context, key, event string) (string, error) {
	if !r.worker.holds[key] {
		if err := r.compile(ctx, key); err != nil {
			return "", err
		}
	}
	begin := &order{Program: key, Run: true, Handler: handlers[r.Event.kind()], Event: event}
	got, err := r.take(ctx, runCPU, begin)
	if err == nil && got.Missing { // it had too many others
		if err = r.compile(ctx, key); err == nil {
			got, err = r.take(ctx, runCPU, begin)
		}
	}
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	answers, open := make(chan did, maxAsks), 0
	for {
		switch {
		case err != nil:
			return "", err
		case got.Missing:
			return "", errForged
		case got.Done && got.Error != "":
			return "", threw(got.Error)
		case got.Done:
			return got.Outcome, nil
		}
		for _, a := range got.Asks {
			mine := *r.Call // calls at once share nothing
			go func() { answers <- r.script.Host.do(working, &mine, a) }()
		}
		if open += len(got.Asks); open == 0 {
			return "", errForged
		}
		next := &order{}
		if next.Answers, err = r.wait(ctx, answers); err == nil {
			open -= len(next.Answers)
			got, err = r.take(ctx, runCPU-r.used, next)
		}
	}
}

// wait waits for an answer, and returns it with others that are there too, as far as they fit in one message.
func (r *run) wait(ctx context.Context, answers chan did) (out []answer, err error) {
	began := time.Now()
	long := time.AfterFunc(max(0, waitsLong-r.waited), func() { r.script.Workers.burdens.put(r.Tenant.ID, time.Now()) })
	defer func() {
		long.Stop()
		r.waited += time.Since(began)
	}()
	for size := 0; ; {
		var d did
		if size > maxTurn {
			return out, nil
		}
		if len(out) > 0 {
			select {
			case d = <-answers:
			default:
				return out, nil
			}
		} else {
			select {
			case d = <-answers:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		r.wrong = r.wrong || d.wrong
		if d.refusal != nil {
			r.refusal = d.refusal
		}
		size += len(d.answer.Value)
		out = append(out, d.answer)
	}
}

// take has the worker do what o says. A report that is not of this call, or breaks another rule, is errForged.
func (r *run) take(ctx context.Context, budget time.Duration, o *order) (*report, error) {
	r.sound, o.Call = false, r.id
	got, used, err := r.script.Workers.take(ctx, r.worker, r.Tenant.ID, budget, o)
	if o.Source == "" {
		r.used += used
		r.ran = r.ran || used > 0 || err == nil
	}
	if err != nil {
		return nil, err
	}
	if got.Call != r.id || r.asked+len(got.Asks) > maxAsks || got.Done && len(got.Asks) > 0 && got.Outcome == "" && got.Error == "" {
		return nil, errForged
	}
	for i, a := range got.Asks {
		if a.Number != r.asked+i+1 || len(a.Args) > maxArgs {
			return nil, errForged
		}
	}
	r.asked += len(got.Asks)
	for _, l := range got.Lines {
		if r.room--; r.room >= 0 {
			r.lines = append(r.lines, Line{level(l.Level), Clip(l.Text, maxLine)})
		}
	}
	r.sound = got.Done && got.Heap < largeHeap
	return got, nil
}

// level is s if it is one.
func level(s string) string {
	switch s {
	case "debug", "info", "warn", "error":
		return s
	}
	return "info"
}

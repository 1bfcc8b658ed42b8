package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// auditCommands show what happened.
type auditCommands struct {
	List   auditList   `cmd:"" help:"List what happened, newest first."`
	Export auditExport `cmd:"" help:"Write all that happened, oldest first, as JSON lines."`
	Verify auditVerify `cmd:"" help:"Check that nothing that happened was changed or removed."`
}

// eventWords are the flags that say which events are meant.
type eventWords struct {
	Kind    string    `placeholder:"KIND" help:"What happened, such as login_failed."`
	Actor   string    `placeholder:"ID" help:"Who did it."`
	Subject string    `name:"sub" placeholder:"SUB" help:"Subject that it is about."`
	Client  string    `placeholder:"ID" help:"Client that it is about."`
	Since   time.Time `placeholder:"TIME" help:"At or after it, as in RFC 3339."`
	Before  time.Time `placeholder:"TIME" help:"Before it, as in RFC 3339."`
}

func (w *eventWords) filter() admin.EventFilter {
	return admin.EventFilter{Kind: audit.Kind(w.Kind), Actor: w.Actor, Subject: w.Subject, ClientID: w.Client, Since: w.Since, Before: w.Before}
}

// shownEvent is an event in JSON.
type shownEvent struct {
	Seq      int64             `json:"seq"`
	At       time.Time         `json:"at"`
	Kind     audit.Kind        `json:"kind"`
	Actor    string            `json:"actor,omitempty"`
	Subject  string            `json:"sub,omitempty"`
	ClientID string            `json:"client_id,omitempty"`
	Session  string            `json:"session_id,omitempty"`
	Grant    string            `json:"grant_id,omitempty"`
	Address  string            `json:"address,omitempty"`
	Detail   map[string]string `json:"detail,omitempty"`
}

func shownEventOf(e *audit.Recorded) shownEvent {
	return shownEvent{e.Seq, e.At, e.Kind, e.Actor, e.Subject, e.ClientID, e.Session, e.Grant, e.Address, e.Detail}
}

type auditList struct {
	Tenant string `arg:"" help:"Tenant, or platform."`
	Limit  int    `default:"50" help:"How many at most."`
	eventWords
	output
}

// Run lists events.
func (c *auditList) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		es, err := a.console.FindEvents(ctx, tenant.ID(c.Tenant), c.filter(), c.Limit)
		if err != nil {
			return err
		}
		all, rows := []shownEvent{}, [][]string{}
		for i := range es {
			e := shownEventOf(&es[i])
			all = append(all, e)
			detail, _ := json.Marshal(e.Detail) // texts always can be
			rows = append(rows, []string{stamp(e.At), string(e.Kind), e.Actor, e.Subject, e.ClientID, e.Address, string(detail)})
		}
		return c.table(all, []string{"AT", "KIND", "ACTOR", "SUBJECT", "CLIENT", "ADDRESS", "DETAIL"}, rows)
	})
}

type auditExport struct {
	Tenant string `arg:"" help:"Tenant, or platform."`
	eventWords
}

// Run writes events as JSON lines.
func (c *auditExport) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		f, out := c.filter(), json.NewEncoder(stdout)
		for f.Oldest = true; ; {
			es, err := a.console.FindEvents(ctx, tenant.ID(c.Tenant), f, 1000)
			if err != nil {
				return err
			}
			for i := range es {
				if err := out.Encode(shownEventOf(&es[i])); err != nil {
					return err
				}
			}
			if len(es) == 0 {
				return nil
			}
			f.After = es[len(es)-1]
		}
	})
}

type auditVerify struct {
	Tenant string `arg:"" help:"Tenant, or platform."`
	Head   string `placeholder:"HASH" help:"Head of an earlier check, which must still be in the chain."`
	output
}

// Run checks the chain, and fails where it does not hold.
func (c *auditVerify) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		v, err := a.console.VerifyAudit(ctx, tenant.ID(c.Tenant), c.Head)
		if err != nil {
			return err
		}
		var errs []error
		for _, p := range v.Problems {
			errs = append(errs, fmt.Errorf("seal %d: %s", p.Seal, p.What))
		}
		if len(errs) > 0 {
			return errors.Join(errs...)
		}
		return c.fields(v, "intact", yesNo(v.Intact), "seals", strconv.FormatInt(v.Seals, 10), "events", strconv.FormatInt(v.Events, 10), "head", v.Head)
	})
}

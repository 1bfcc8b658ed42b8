package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/challenge"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// scripts asks tenants' own code: their webhooks, and their scripts.
func (a *app) scripts() *script.Runner {
	hooks := a.hooks()
	a.journal = &script.Journal{Store: a.db, Lost: func(err error) { a.log.Warn("what scripts wrote is not kept", "error", err) }}
	a.workers = &script.Workers{Command: []string{"/proc/self/exe", script.WorkerCommand}}
	js := &script.JavaScript{Now: time.Now, Rand: rand.Reader, Workers: a.workers, Host: a.host(), Log: a.journal.Add, Refuse: refused, Observe: hooks.Observe}
	return &script.Runner{Webhook: hooks, JavaScript: js, Library: &script.Library{Store: a.db}}
}

// refused is why the flow that asks would make nothing of what a script answers in a trial, or nil.
func refused(ev *script.Event, o *script.Outcome) error {
	switch ev.Hook {
	case tenant.HookChallenge:
		return challenge.Refusal(ev, o, time.Now())
	case tenant.HookClientCredentials, tenant.HookPassword, tenant.HookTokenExchange, tenant.HookJWTBearer:
		return token.HookRefusal(o)
	case tenant.HookClaims, tenant.HookIntrospection:
		return access.HookRefusal(o)
	}
	return nil
}

// steps are those that tenants may choose for the challenge.
func (a *app) steps() challenge.Decider {
	return &challenge.Choice{
		Steps: map[string]challenge.Decider{tenant.StepPassword: &challenge.Password{Accounts: a.accounts}, tenant.StepOTP: &challenge.OTP{Accounts: a.accounts},
			tenant.StepHook: &challenge.Scripted{Run: a.runner.Run}},
		Own: func(name string) challenge.Decider {
			return &challenge.Scripted{Run: func(ctx context.Context, t *tenant.Tenant, ev script.Event) (script.Outcome, error) {
				return a.runner.RunScript(ctx, t, name, ev)
			}}
		}}
}

// host is what scripts may ask for.
func (a *app) host() script.Host {
	return script.Host{
		"user.find":           a.findUser,
		"user.verifyPassword": a.verifyPassword,
		"totp.enabled":        a.hasTOTP,
		"totp.check":          a.checkTOTP,
		"otp.send":            a.sendCode,
		"otp.check":           a.checkCode,
		"secret":              a.scriptSecret,
		"fetch":               a.scriptFetch,
	}
}

// knownUser is a user as scripts are told of it.
type knownUser struct {
	Subject  string                     `json:"sub"`
	Username string                     `json:"username,omitempty"`
	Disabled bool                       `json:"disabled"`
	TOTP     bool                       `json:"totp"` // it has one
	Claims   map[string]json.RawMessage `json:"claims,omitempty"`
}

func knownUserOf(u *account.Account) any {
	if u == nil {
		return nil
	}
	return knownUser{u.Subject, u.Username, u.Disabled, u.HasTOTP, u.Claims}
}

func (a *app) findUser(ctx context.Context, c *script.Call, args script.Args) (any, error) {
	var name string
	if err := args.Texts(&name); err != nil {
		return nil, err
	}
	u, err := a.accounts.Find(ctx, c.Tenant, name)
	return knownUserOf(u), err
}

func (a *app) verifyPassword(ctx context.Context, c *script.Call, args script.Args) (any, error) {
	var username, password string
	if err := args.Texts(&username, &password); err != nil {
		return nil, err
	}
	u, err := a.accounts.Verify(ctx, c.Tenant, username, password, c.Event.Request.Address)
	if errors.Is(err, account.ErrDenied) {
		c.Wrong()
		return nil, nil
	}
	return knownUserOf(u), err
}

func (a *app) hasTOTP(ctx context.Context, c *script.Call, args script.Args) (any, error) {
	var sub string
	if err := args.Texts(&sub); err != nil {
		return nil, err
	}
	return a.accounts.HasTOTP(ctx, c.Tenant, sub)
}

func (a *app) checkTOTP(ctx context.Context, c *script.Call, args script.Args) (any, error) {
	var sub, code string
	if err := args.Texts(&sub, &code); err != nil {
		return nil, err
	}
	return right(c, a.accounts.CheckTOTP(ctx, c.Tenant, sub, code, guesser(c)))
}

// trialCode is the right one in trials, where none is sent.
const trialCode = "000000"

// Why a script has no code sent.
const (
	errNoExchange = script.Refusal("codes are sent and checked in the course of a challenge only")
	errNoSendCode = script.Refusal("the tenant has no hook send_code, by which codes are sent")
)

func (a *app) sendCode(ctx context.Context, c *script.Call, args script.Args) (any, error) {
	var sub, to string
	err := args.Texts(&sub)
	if err == nil && len(args) > 1 {
		err = args[1:].Texts(&to)
	}
	switch {
	case err != nil:
		return nil, err
	case c.Tenant.Settings.Hook(tenant.HookSendCode) == nil:
		return nil, errNoSendCode
	case c.Dry:
		return nil, nil
	case len(c.Event.Exchange) == 0:
		return nil, errNoExchange
	}
	return nil, a.accounts.SendCode(ctx, c.Tenant, account.Sending{Exchange: c.Event.Exchange, Subject: sub, To: to, ClientID: guesser(c).ClientID})
}

func (a *app) checkCode(ctx context.Context, c *script.Call, args script.Args) (any, error) {
	var sub, code string
	if err := args.Texts(&sub, &code); err != nil {
		return nil, err
	}
	switch {
	case c.Dry && code == trialCode:
		return true, nil
	case c.Dry:
		return right(c, account.ErrCode)
	case len(c.Event.Exchange) == 0:
		return nil, errNoExchange
	}
	return right(c, a.accounts.CheckCode(ctx, c.Tenant, c.Event.Exchange, sub, code, guesser(c)))
}

// right is what a script is told of a code.
func right(c *script.Call, err error) (any, error) {
	if errors.Is(err, account.ErrCode) {
		c.Wrong()
		return false, nil
	}
	return err == nil, err
}

func guesser(c *script.Call) account.Guesser {
	g := account.Guesser{Address: c.Event.Request.Address}
	if c.Event.Client != nil {
		g.ClientID = c.Event.Client.ID
	}
	return g
}

func (a *app) scriptSecret(ctx context.Context, c *script.Call, args script.Args) (any, error) {
	var name string
	if err := args.Texts(&name); err != nil {
		return nil, err
	}
	b, err := a.db.Secret(ctx, c.Tenant.ID, name)
	if errors.Is(err, script.ErrNotFound) {
		return nil, script.Refusal("there is no secret of that name")
	}
	return string(b), err
}

// What scripts may fetch: how large an answer, in bytes, and by which methods. The connection is ours, and so are its headers.
const maxFetched = 64 << 10

var (
	fetchMethods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	ownHeaders   = []string{"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect", "proxy-authorization", "proxy-connection"}
)

// fetching is calls for scripts, counted as hooks are.
func fetching(calls *outbound.Client) *outbound.Client { return calls.Apart(hookCalls, hookTarget) }

func (a *app) scriptFetch(ctx context.Context, c *script.Call, args script.Args) (any, error) {
	var url string
	if err := args.Texts(&url); err != nil {
		return nil, err
	}
	var o struct {
		Method  string
		Headers map[string]string
		Body    string
	}
	if len(args) > 1 && json.Unmarshal(args[1], &o) != nil {
		return nil, script.Refusal("fetch takes a method, headers and a body, which are texts")
	}
	method := strings.ToUpper(o.Method)
	if method == "" {
		method = http.MethodGet
	}
	if !slices.Contains(fetchMethods, method) {
		return nil, script.Refusal("fetch knows no such method")
	}
	for name := range o.Headers {
		if slices.Contains(ownHeaders, strings.ToLower(name)) {
			return nil, script.Refusal("a header is not the script's to set")
		}
	}
	answer, err := a.fetches.Ask(ctx, method, string(c.Tenant.ID), url, outbound.Content{Header: o.Headers, Body: []byte(o.Body)}, maxFetched)
	if err != nil {
		return nil, script.Refusal("fetch failed")
	}
	return map[string]any{"status": answer.Status, "type": answer.Type, "body": string(answer.Body)}, nil
}

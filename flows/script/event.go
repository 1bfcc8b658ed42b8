package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Event is one question to the tenant's code.
type Event struct {
	Hook    string // name of the hook, one of tenant.Hook…
	Client  *tenant.Client
	Request Request
	Facts   map[string]any // what this hook is told beside, by member name; credentials only where they are to be checked

	recorded map[string]any // all that it tells, in place of the members above

	Exchange []byte // in the course of which it happens, and codes are sent; it is not told
}

// Request is what the client sent, without its credentials. Its JSON is part of the contract.
type Request struct {
	Scope      oauth.Scope         `json:"scope"`                // asked for
	Resources  []string            `json:"resources"`            // resource and audience, asked for
	Parameters map[string][]string `json:"parameters,omitempty"` // of no meaning to us
	Address    string              `json:"address,omitempty"`    // of the caller
	UserAgent  string              `json:"user_agent,omitempty"` // of the caller
	Key        oauth.Confirmation  `json:"cnf,omitzero"`         // that the client proved to hold
}

var errRecorded = errors.New("script: that is no event")

// Recorded is an event as a script was once given it, for trials. Its tenant and time are those of the trial.
func Recorded(raw []byte) (Event, error) {
	var told map[string]any
	if err := json.Unmarshal(raw, &told); err != nil || told == nil || len(raw) > MaxEvent {
		return Event{}, errRecorded
	}
	name, _ := told["type"].(string)
	if told["type"] == nil {
		name = tenant.HookChallenge
	}
	if handlers[tenant.HookKind(name)] == "" {
		return Event{}, errRecorded
	}
	ev := Event{Hook: name, recorded: told}
	if r, ok := told["request"].(map[string]any); ok {
		ev.Request.Address, _ = r["address"].(string)
		ev.Request.Scope = scopeOf(r["scope"])
	}
	if c, ok := told["client"].(map[string]any); ok {
		id, _ := c["client_id"].(string)
		ev.Client = &tenant.Client{ID: id}
	}
	return ev, nil
}

// scopeOf is what v, of JSON, names as scope.
func scopeOf(v any) oauth.Scope {
	var s oauth.Scope
	list, _ := v.([]any)
	for _, v := range list {
		value, _ := v.(string)
		s = s.Plus([]string{value})
	}
	return s
}

// MaxEvent is the longest event, in bytes of its JSON.
const MaxEvent = 64 << 10

var errEventSize = errors.New("script: the event is too large")

// client is a client as the tenant's code is told of it.
type client struct {
	ID              string          `json:"client_id"`
	Confidential    bool            `json:"confidential"`
	Name            string          `json:"client_name,omitempty"`
	Scope           string          `json:"scope,omitempty"`
	Audience        []string        `json:"audience,omitempty"`
	GrantTypes      []string        `json:"grant_types,omitempty"`
	ApplicationType string          `json:"application_type,omitempty"`
	DefaultMaxAge   *int64          `json:"default_max_age,omitempty"`
	RequireAuthTime bool            `json:"require_auth_time,omitempty"`
	DefaultACR      []string        `json:"default_acr_values,omitempty"`
	Data            json.RawMessage `json:"data,omitempty"`
}

func clientOf(c *tenant.Client) *client {
	if c == nil {
		return nil
	}
	return &client{ID: c.ID, Confidential: !c.Public(), Name: c.Name, Scope: c.Scope, Audience: c.Audience, GrantTypes: c.GrantTypes,
		ApplicationType: c.ApplicationType, DefaultMaxAge: c.DefaultMaxAge, RequireAuthTime: c.RequireAuthTime, DefaultACR: c.DefaultACRValues,
		Data: c.Data}
}

// text is the JSON of ev, put by t at now, as hooks are sent it.
func (ev *Event) text(t *tenant.Tenant, now time.Time) ([]byte, error) {
	return ev.bounded(struct {
		Type string         `json:"type"`
		At   string         `json:"timestamp"`
		Data map[string]any `json:"data"`
	}{ev.kind(), timestamp(now), ev.data(t)})
}

// flat is the JSON of ev, put by t at now, as scripts are given it: the members of data beside the others.
func (ev *Event) flat(t *tenant.Tenant, now time.Time) (string, error) {
	data := ev.data(t)
	data["type"], data["timestamp"] = ev.kind(), timestamp(now)
	b, err := ev.bounded(data)
	return string(b), err
}

// kind is what kind of hook ev is for.
func (ev *Event) kind() string { return tenant.HookKind(ev.Hook) }

func timestamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// data is what ev tells.
func (ev *Event) data(t *tenant.Tenant) map[string]any {
	data := map[string]any{}
	for name, v := range ev.Facts {
		data[name] = v
	}
	data["tenant_id"], data["issuer"], data["request"] = t.ID, t.Issuer, ev.Request
	if ev.recorded != nil {
		maps.Copy(data, ev.recorded)
		data["tenant_id"], data["issuer"] = t.ID, t.Issuer
		return data
	}
	if ev.Client != nil {
		data["client"] = clientOf(ev.Client)
	}
	return data
}

// bounded is the JSON of v. Where it is too large, the request was, unless the hook is asked for what nobody sent.
func (ev *Event) bounded(v any) ([]byte, error) {
	var b bytes.Buffer
	to := json.NewEncoder(&b)
	to.SetEscapeHTML(false)
	switch err := to.Encode(v); {
	case err != nil:
		return nil, err
	case b.Len()-1 > MaxEvent && questions[ev.kind()]:
		return nil, errEventSize
	case b.Len()-1 > MaxEvent:
		return nil, oauth.InvalidRequest("The request is too large").Because(errEventSize)
	}
	return b.Bytes()[:b.Len()-1], nil
}

package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// Action is what an Outcome comes to.
type Action string

// The actions.
const (
	Allow Action = "allow"
	Deny  Action = "deny"
	Next  Action = "next" // the client must send more; only for hooks that ask in steps
)

// Outcome is what the tenant's code decided. What is left out is as it would be without it.
type Outcome struct {
	Action      Action
	Code        string            // of Deny and Next: error code for the client
	Description string            // of Deny: error_description; may be empty
	Keep        map[string]string // of Next: attributes for the next call
	Wrong       bool              // of Next, and of a script that denies or fails: what was sent was a wrong guess

	Subject  string
	ACR      string
	AMR      []string
	AuthTime int64       // Unix seconds
	Scope    oauth.Scope // in place of what was asked, where Rescoped
	Rescoped bool
	Audience []string                   // in place of what was asked, where not nil
	Claims   map[string]json.RawMessage // of the subject, for ID token and UserInfo
	Data     json.RawMessage            // an object: of Allow, what access tokens and introspection carry as dat; of Next, what the client is told

	AccessToken  AccessToken
	RefreshToken *bool // whether there is one
	IDToken      *bool // whether there is one

	Blame func(error) // is told why nothing can come of it; nil: nobody is
}

// Fault tells whoever wrote the tenant's code that nothing can come of o, and why. It returns err; nil is no fault.
func (o *Outcome) Fault(err error) error {
	if err != nil && o.Blame != nil {
		o.Blame(err)
	}
	return err
}

// AccessToken is what an Outcome says of the access token. Lifetime is in seconds, zero: as usual.
type AccessToken struct {
	Lifetime int64
	Claims   map[string]json.RawMessage
}

// Limits of an answer.
const (
	MaxAnswer   = 64 << 10 // bytes
	maxText     = 1024     // bytes of one text
	maxList     = 64       // members of a list
	maxLifetime = 10 * 365 * 24 * 60 * 60
)

// ErrAnswer is what an answer that makes no sense comes to. It wraps the cause, for the operator.
var ErrAnswer = errors.New("script: the answer makes no sense")

// members of an answer, each with what reads it.
var members = map[string]func(*Outcome, json.RawMessage) bool{
	"action":            read(func(o *Outcome) *Action { return &o.Action }),
	"error":             text(func(o *Outcome) *string { return &o.Code }),
	"error_description": text(func(o *Outcome) *string { return &o.Description }),
	"keep":              read(func(o *Outcome) *map[string]string { return &o.Keep }),
	"wrong":             read(func(o *Outcome) *bool { return &o.Wrong }),
	"subject":           text(func(o *Outcome) *string { return &o.Subject }),
	"acr":               text(func(o *Outcome) *string { return &o.ACR }),
	"amr":               list(func(o *Outcome) *[]string { return &o.AMR }),
	"auth_time":         read(func(o *Outcome) *int64 { return &o.AuthTime }),
	"scope":             scope,
	"audience":          list(func(o *Outcome) *[]string { return &o.Audience }),
	"claims":            object(func(o *Outcome) *map[string]json.RawMessage { return &o.Claims }),
	"data":              data,
	"access_token":      accessToken,
	"refresh_token":     maybe(func(o *Outcome) **bool { return &o.RefreshToken }),
	"id_token":          maybe(func(o *Outcome) **bool { return &o.IDToken }),
}

// ParseOutcome reads an answer. It refuses what is not a JSON object, names a member twice, nests deep, has a member that
// is not of the contract or is null or of another type, or lacks what its action needs: a mistyped restriction must not
// become none. Every error is ErrAnswer.
func ParseOutcome(body []byte) (Outcome, error) {
	o, err := parseOutcome(body)
	if err != nil {
		return Outcome{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return o, nil
}

func parseOutcome(body []byte) (Outcome, error) {
	if len(body) > MaxAnswer {
		return Outcome{}, errors.New("it is too long")
	}
	answer, err := oauth.Object(body)
	if err != nil {
		return Outcome{}, errors.New("it is not one JSON object without repeated members")
	}
	var o Outcome
	for name, raw := range answer {
		read, known := members[name]
		switch {
		case !known:
			return Outcome{}, errors.New("it has a member that is not of the contract")
		case !read(&o, raw):
			return Outcome{}, fmt.Errorf("%s is of the wrong type, too long or too large", name)
		}
	}
	return o, o.check()
}

func (o *Outcome) check() error {
	switch {
	case o.Action != Allow && o.Action != Deny && o.Action != Next:
		return errors.New("action is neither allow, deny nor next")
	case o.Action != Allow && !code(o.Code):
		return errors.New("error is missing, or no error code")
	case o.Action == Allow && o.Code+o.Description != "":
		return errors.New("what is allowed has no error")
	case !described(o.Description):
		return errors.New("error_description holds characters that are not allowed")
	case o.AuthTime < 0 || o.AuthTime > 1e11:
		return errors.New("auth_time is out of range")
	case o.AccessToken.Lifetime < 0 || o.AccessToken.Lifetime > maxLifetime:
		return errors.New("access_token.lifetime is out of range")
	}
	return nil
}

// code reports whether s is an error code: letters, digits, underscores, dots and hyphens, at most 64.
func code(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
}

// described reports whether s keeps to the characters of an error_description (RFC 6749 §5.2).
func described(s string) bool {
	return len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' })
}

// value reads what is exactly a V, and not null.
func value[V any](raw json.RawMessage) (V, bool) {
	var v *V
	if json.Unmarshal(raw, &v) != nil || v == nil {
		return *new(V), false
	}
	return *v, true
}

func read[V any](of func(*Outcome) *V) func(*Outcome, json.RawMessage) bool {
	return func(o *Outcome, raw json.RawMessage) (ok bool) {
		*of(o), ok = value[V](raw)
		return ok
	}
}

func text(of func(*Outcome) *string) func(*Outcome, json.RawMessage) bool {
	return func(o *Outcome, raw json.RawMessage) bool {
		s, ok := value[string](raw)
		*of(o) = s
		return ok && len(s) <= maxText
	}
}

func list(of func(*Outcome) *[]string) func(*Outcome, json.RawMessage) bool {
	return func(o *Outcome, raw json.RawMessage) bool {
		vs, ok := value[[]*string](raw)
		out := make([]string, 0, len(vs))
		for _, v := range vs {
			if v == nil || *v == "" || len(*v) > maxText {
				return false
			}
			out = append(out, *v)
		}
		*of(o) = out
		return ok && len(vs) <= maxList
	}
}

func object(of func(*Outcome) *map[string]json.RawMessage) func(*Outcome, json.RawMessage) bool {
	return func(o *Outcome, raw json.RawMessage) bool {
		m, ok := value[map[string]json.RawMessage](raw)
		*of(o) = m
		return ok && len(m) <= maxList
	}
}

func maybe(of func(*Outcome) **bool) func(*Outcome, json.RawMessage) bool {
	return func(o *Outcome, raw json.RawMessage) bool {
		v, ok := value[bool](raw)
		*of(o) = &v
		return ok
	}
}

// scope reads scope values: a list, or one text as in requests.
func scope(o *Outcome, raw json.RawMessage) bool {
	o.Rescoped = true
	if s, ok := value[string](raw); ok {
		var err error
		o.Scope, err = oauth.ParseScope(s)
		return err == nil
	}
	var vs []string
	if !list(func(*Outcome) *[]string { return &vs })(o, raw) {
		return false
	}
	for _, v := range vs {
		if !oauth.ScopeValue(v) {
			return false
		}
	}
	o.Scope = oauth.Scope(nil).Plus(vs)
	return true
}

func data(o *Outcome, raw json.RawMessage) bool {
	_, ok := value[map[string]json.RawMessage](raw)
	o.Data = raw
	return ok
}

func accessToken(o *Outcome, raw json.RawMessage) bool {
	m, ok := value[map[string]json.RawMessage](raw)
	for name, raw := range m {
		switch name {
		case "lifetime":
			o.AccessToken.Lifetime, ok = value[int64](raw)
		case "claims":
			ok = object(func(o *Outcome) *map[string]json.RawMessage { return &o.AccessToken.Claims })(o, raw)
		default:
			return false
		}
		if !ok {
			return false
		}
	}
	return ok
}

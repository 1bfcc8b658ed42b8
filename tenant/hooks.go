package tenant

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/tenant/keys"
)

// The hooks: what a tenant's own code may decide when it is called (docs/hooks.md).
const (
	HookClientCredentials = "client_credentials" // RFC 6749 §4.4
	HookPassword          = "password"           // RFC 6749 §4.3
	HookTokenExchange     = "token_exchange"     // RFC 8693
	HookJWTBearer         = "jwt_bearer"         // RFC 7523 §2.1
	HookSendCode          = "send_code"          // a code for one use that a subject is to be sent
	HookChallenge         = "challenge"          // OAuth 2.0 for First-Party Applications
	HookClaims            = "claims"             // claims that are the tenant's to tell; there may be several, see HookKind
	HookIntrospection     = "introspection"      // what else introspection tells (RFC 7662 §2.2)
)

var hookNames = []string{HookClientCredentials, HookPassword, HookTokenExchange, HookJWTBearer, HookSendCode, HookChallenge, HookClaims, HookIntrospection}

// Hook is what decides: a URL of the tenant's, or a script of its. Timeout is in milliseconds. Raising Secret makes a new signing secret, beside
// which the one before it signs too, so that a receiver may change at its own time.
type Hook struct {
	URL     string `json:"url,omitempty"`
	Script  string `json:"script,omitempty"`  // name of a script (docs/scripts.md), in place of the URL
	Timeout int64  `json:"timeout,omitempty"` // 1000, at most 5000
	Secret  int64  `json:"secret,omitempty"`  // number of its signing secret: 0

	// Of those that tell claims, and MaxAnswer of introspection too.
	Claims    []string `json:"claims,omitempty"`     // names of the claims that it is asked for, and no other hook is; of verified ones with verified: before
	MaxAnswer int64    `json:"max_answer,omitempty"` // bytes of what it tells: 16384, at most 65536
	KeepNull  bool     `json:"keep_null,omitempty"`  // claims that are null are told; else they are left out (OIDC Core §5.3.2)
	Session   bool     `json:"session,omitempty"`    // it is told of the subject's session
	SID       bool     `json:"sid,omitempty"`        // and of the SID that opens it
}

// Hook returns the hook of that name, or nil where the tenant has none.
func (s *Settings) Hook(name string) *Hook {
	h, ok := s.Hooks[name]
	if !ok {
		return nil
	}
	return &h
}

// The longest time that a hook may take, and how long it is given by default.
const (
	MaxHookTimeout = 5 * time.Second
	hookTimeout    = time.Second
)

// Deadline is how long a call of h may take.
func (h *Hook) Deadline() time.Duration {
	if h.Timeout <= 0 {
		return hookTimeout
	}
	return min(time.Duration(h.Timeout)*time.Millisecond, MaxHookTimeout)
}

// HookKey is the signing secret of that number of the hook of that name: 256 bits, derived from the tenant's secret.
func HookKey(secret keys.Secret, name string, number int64) []byte {
	return secret.MAC("webhook secret", []byte(name), []byte(strconv.FormatInt(number, 10)))
}

// HookKeys are the secrets that a call of h is signed with, the newest first.
func (t *Tenant) HookKeys(name string, h *Hook) [][]byte {
	out := [][]byte{HookKey(t.Secret, name, h.Secret)}
	if h.Secret > 0 {
		out = append(out, HookKey(t.Secret, name, h.Secret-1))
	}
	return out
}

// hooks checks the tenant's hooks.
func (c *checker) hooks(hooks map[string]Hook) {
	c.sources(hooks)
	for name, h := range hooks {
		at := "/hooks/" + escape.Replace(name)
		c.that(slices.Contains(hookNames, HookKind(name)), at, "is no hook of ours")
		c.source(at, name, &h)
		c.that(h.Timeout == 0 || h.Timeout >= 50 && h.Timeout <= MaxHookTimeout.Milliseconds(), at+"/timeout", fmt.Sprintf("must be from 50 to %d, or 0 for the default", MaxHookTimeout.Milliseconds()))
		c.that(h.Secret >= 0 && h.Secret <= 1<<31, at+"/secret", "must be from 0 to 2147483648")
		c.that(h.Script == "" || h.URL == "" && name != HookSendCode && ScriptName.MatchString(h.Script), at+"/script", "is no name of a script, or stands beside a URL")
		c.that(h.Script != "" || secureURL(h.URL), at+"/url", "must be an https URL without fragment; http only for the loopback")
	}
}

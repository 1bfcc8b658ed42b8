package tenant

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// Verified stands before the name of a verified claim (OpenID Connect for Identity Assurance 1.0).
const Verified = "verified:"

// The most of sources.
const (
	maxSources      = 8
	maxSourceClaims = 200
	maxSourceAnswer = 64 << 10
	sourceAnswer    = 16 << 10
)

var sourceName = regexp.MustCompile(`^claims_[a-z0-9_]{1,32}$`)

// HookKind is the kind of the hook of that name: its name, but that sources of claims are called claims, and claims_ with
// anything behind.
func HookKind(name string) string {
	if sourceName.MatchString(name) {
		return HookClaims
	}
	return name
}

// Room is how many bytes of claims h may tell.
func (h *Hook) Room() int {
	if h.MaxAnswer == 0 {
		return sourceAnswer
	}
	return int(min(h.MaxAnswer, maxSourceAnswer))
}

// Sourced reports whether any claims are told by a hook.
func (s *Settings) Sourced() bool {
	for name := range s.Hooks {
		if HookKind(name) == HookClaims {
			return true
		}
	}
	return false
}

// Owners returns the hooks that own claims of these names, by name, each with those that it owns. A language tag says nothing
// of who owns a claim (OIDC Core §5.2).
func (s *Settings) Owners(names []string) map[string][]string {
	out := map[string][]string{}
	for _, hook := range slices.Sorted(maps.Keys(s.Hooks)) {
		if HookKind(hook) != HookClaims {
			continue
		}
		for _, name := range names {
			if base, _, _ := strings.Cut(name, "#"); slices.Contains(s.Hooks[hook].Claims, base) {
				out[hook] = append(out[hook], name)
			}
		}
	}
	return out
}

// SourcedClaims lists the claims that hooks tell, sorted, without those that are verified.
func (s *Settings) SourcedClaims() []string {
	var out []string
	for name, h := range s.Hooks {
		if HookKind(name) == HookClaims {
			out = append(out, slices.DeleteFunc(slices.Clone(h.Claims), func(claim string) bool { return strings.HasPrefix(claim, Verified) })...)
		}
	}
	slices.Sort(out)
	return out
}

// source checks what is said of one hook as a source.
func (c *checker) source(at, name string, h *Hook) {
	kind := HookKind(name)
	c.that(h.MaxAnswer == 0 || (kind == HookClaims || kind == HookIntrospection) && h.MaxAnswer >= 256 && h.MaxAnswer <= maxSourceAnswer, at+"/max_answer",
		fmt.Sprintf("must be from 256 to %d, or 0 for the default, and is of claims and introspection alone", maxSourceAnswer))
	if kind != HookClaims {
		c.that(len(h.Claims) == 0 && !h.KeepNull && !h.Session && !h.SID, at, "claims, keep_null, session and sid are of sources of claims alone")
		return
	}
	c.that(len(h.Claims) > 0 && len(h.Claims) <= maxSourceClaims, at+"/claims", fmt.Sprintf("must name from 1 to %d claims", maxSourceClaims))
	c.that(h.Session || !h.SID, at+"/sid", "needs session")
	for i, claim := range h.Claims {
		name := strings.TrimPrefix(claim, Verified)
		c.that(oauth.ClaimName(name) && name != "*" && name != oauth.VerifiedClaims && !strings.Contains(name, "#") && !placed(name), fmt.Sprintf("%s/claims/%d", at, i),
			"is no name of a claim without language and place")
	}
}

// placed reports whether name begins with what says where a claim goes.
func placed(name string) bool {
	return slices.ContainsFunc([]string{"id_token:", "access_token:", Verified}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// sources checks that every claim has one owner.
func (c *checker) sources(hooks map[string]Hook) {
	owners, verified, n := map[string]string{}, "", 0
	for _, hook := range slices.Sorted(maps.Keys(hooks)) {
		if HookKind(hook) != HookClaims {
			continue
		}
		n++
		for i, claim := range hooks[hook].Claims {
			at := fmt.Sprintf("/hooks/%s/claims/%d", escape.Replace(hook), i)
			owner, owned := owners[claim]
			c.that(!owned, at, "is owned already, by "+owner)
			owners[claim] = hook
			if strings.HasPrefix(claim, Verified) {
				c.that(verified == "" || verified == hook, at, "is verified, and verified claims are of one source")
				verified = hook
			}
		}
	}
	c.that(n <= maxSources, "/hooks", fmt.Sprintf("must hold at most %d sources of claims", maxSources))
}

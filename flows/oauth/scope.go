package oauth

import (
	"slices"
	"strings"
)

// Scope is a set of scope values in the order they were first named (RFC 6749 §3.3).
type Scope []string

// MaxScope is the longest scope parameter accepted, in bytes.
const MaxScope = 4096

// ParseScope reads a space-delimited scope parameter; repeats are dropped. It returns invalid_scope for
// characters outside RFC 6749 §3.3 and for a parameter over MaxScope.
func ParseScope(s string) (Scope, error) {
	if len(s) > MaxScope {
		return nil, InvalidScope("scope is too long")
	}
	var sc Scope
	for v := range strings.SplitSeq(s, " ") {
		if v == "" {
			continue
		}
		if !ScopeValue(v) {
			return nil, InvalidScope("scope holds characters that are not allowed")
		}
		if !slices.Contains(sc, v) {
			sc = append(sc, v)
		}
	}
	return sc, nil
}

// ScopeValue reports whether v is one scope-token of RFC 6749 §3.3.
func ScopeValue(v string) bool {
	for i := range len(v) {
		if c := v[i]; c < 0x21 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return v != ""
}

// String joins the values with spaces.
func (s Scope) String() string { return strings.Join(s, " ") }

// Has reports whether v is in s.
func (s Scope) Has(v string) bool { return slices.Contains(s, v) }

// Within reports whether every value of s is in o.
func (s Scope) Within(o Scope) bool {
	return !slices.ContainsFunc(s, func(v string) bool { return !o.Has(v) })
}

// And returns the values of s that are in o.
func (s Scope) And(o Scope) Scope { return s.filter(o.Has) }

// Without returns the values of s that are not in o.
func (s Scope) Without(o Scope) Scope { return s.filter(func(v string) bool { return !o.Has(v) }) }

// Plus returns s followed by the values of o that s lacks.
func (s Scope) Plus(o Scope) Scope { return append(slices.Clone(s), o.Without(s)...) }

// Equal reports whether s and o hold the same values in any order.
func (s Scope) Equal(o Scope) bool { return s.Within(o) && o.Within(s) }

func (s Scope) filter(keep func(string) bool) Scope {
	var r Scope
	for _, v := range s {
		if keep(v) && !slices.Contains(r, v) {
			r = append(r, v)
		}
	}
	return r
}

package tenant

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckSources(t *testing.T) {
	const url = "https://hooks.example/"
	of := func(claims ...string) Hook { return Hook{URL: url, Claims: claims} }
	many := map[string]Hook{}
	for i := range maxSources + 1 {
		many["claims_"+strconv.Itoa(i)] = of("c" + strconv.Itoa(i))
	}
	for _, c := range []struct {
		rule  string
		hooks map[string]Hook
		want  []string // pointers
	}{
		{"one", map[string]Hook{"claims": of("tier", "https://acme.example/role", "verified:given_name")}, nil},
		{"several, of different claims", map[string]Hook{"claims": of("a"), "claims_hr": {URL: url, Claims: []string{"b"}, MaxAnswer: 1024, KeepNull: true, Session: true, SID: true}}, nil},
		{"a verified claim is another", map[string]Hook{"claims": of("a"), "claims_hr": of("verified:a")}, nil},
		{"a claim of two", map[string]Hook{"claims": of("a", "b"), "claims_hr": of("b")}, []string{"/hooks/claims_hr/claims/0"}},
		{"a claim twice", map[string]Hook{"claims": of("a", "a")}, []string{"/hooks/claims/claims/1"}},
		{"verified claims of two", map[string]Hook{"claims": of("verified:a"), "claims_hr": of("verified:b")}, []string{"/hooks/claims_hr/claims/0"}},
		{"of nothing", map[string]Hook{"claims": {URL: url}}, []string{"/hooks/claims/claims"}},
		{"of everything", map[string]Hook{"claims": of("*")}, []string{"/hooks/claims/claims/0"}},
		{"of a claim in one language", map[string]Hook{"claims": of("name#es")}, []string{"/hooks/claims/claims/0"}},
		{"of what says where a claim goes", map[string]Hook{"claims": of("id_token:a", "verified:access_token:a", `a"`)}, []string{"/hooks/claims/claims/0", "/hooks/claims/claims/1", "/hooks/claims/claims/2"}},
		{"of verified claims in a whole, past what tells how they were verified", map[string]Hook{"claims": of("verified_claims", "verified:verified_claims")}, []string{"/hooks/claims/claims/0", "/hooks/claims/claims/1"}},
		{"a name that is none", map[string]Hook{"claims_": of("a"), "claims_HR": of("a")}, []string{"/hooks/claims_", "/hooks/claims_", "/hooks/claims_HR", "/hooks/claims_HR"}},
		{"the SID without the session", map[string]Hook{"claims": {URL: url, Claims: []string{"a"}, SID: true}}, []string{"/hooks/claims/sid"}},
		{"too large an answer", map[string]Hook{"claims": {URL: url, Claims: []string{"a"}, MaxAnswer: 65537}}, []string{"/hooks/claims/max_answer"}},
		{"an answer of introspection", map[string]Hook{"introspection": {URL: url, MaxAnswer: 1024}}, nil},
		{"what is of sources alone", map[string]Hook{"introspection": of("a"), "password": {URL: url, MaxAnswer: 1024}}, []string{"/hooks/introspection", "/hooks/password/max_answer"}},
		{"too many", many, []string{"/hooks"}},
	} {
		s := Settings{Hooks: c.hooks}
		var got []string
		for _, e := range s.Check() {
			got = append(got, e.Pointer)
		}
		if d := cmp.Diff(c.want, got, cmp.Transformer("set", func(ps []string) map[string]int {
			m := map[string]int{}
			for _, p := range ps {
				m[p]++
			}
			return m
		})); d != "" {
			t.Errorf("%s: %s", c.rule, d)
		}
	}
}

func TestEveryClaimHasOneOwner(t *testing.T) {
	s := Settings{Hooks: map[string]Hook{"claims": {Claims: []string{"a", "name"}}, "claims_hr": {Claims: []string{"b", "verified:a"}}, "password": {}}}
	want := map[string][]string{"claims": {"name#es", "a"}, "claims_hr": {"b", "verified:a"}}
	if d := cmp.Diff(want, s.Owners([]string{"name#es", "b", "a", "nobody", "verified:a", "verified:b"})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a", "b", "name"}, s.SourcedClaims()); d != "" {
		t.Error(d)
	}
	if !s.Sourced() || (&Settings{Hooks: map[string]Hook{"password": {}}}).Sourced() {
		t.Error("whether there are sources")
	}
}

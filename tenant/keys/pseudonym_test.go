package keys

import (
	"strings"
	"testing"
)

func TestAPseudonymIsOfItsContextAndLeadsBack(t *testing.T) {
	s, other := mustSecret(t, counting()), mustSecret(t, make([]byte, secretSize))
	name := s.Pseudonym("purpose", "a.example", "alice")
	if name != s.Pseudonym("purpose", "a.example", "alice") || strings.Contains(name, "alice") {
		t.Errorf("got %s", name)
	}
	seen := map[string]string{name: "itself"}
	for rule, n := range map[string]string{
		"another context":    s.Pseudonym("purpose", "b.example", "alice"),
		"another value":      s.Pseudonym("purpose", "a.example", "alicf"),
		"another purpose":    s.Pseudonym("other", "a.example", "alice"),
		"another secret":     other.Pseudonym("purpose", "a.example", "alice"),
		"another cut":        s.Pseudonym("purpose", "a.examplea", "lice"),
		"an empty context":   s.Pseudonym("purpose", "", "alice"),
		"a value that is 16": s.Pseudonym("purpose", "a.example", strings.Repeat("x", 16)),
	} {
		if seen[n] != "" {
			t.Errorf("%s has the name of %s", rule, seen[n])
		}
		seen[n] = rule
		if v, ok := s.RevealPseudonym("purpose", "a.example", n); ok && v == "alice" {
			t.Errorf("%s leads to alice", rule)
		}
		// Two names that shared any part but by chance could be compared.
		if n[:8] == name[:8] || n[22:] == name[22:] {
			t.Errorf("%s looks like it: %s and %s", rule, n, name)
		}
	}
	if v, ok := s.RevealPseudonym("purpose", "a.example", name); !ok || v != "alice" {
		t.Errorf("it leads to %q, %t", v, ok)
	}
	for i := range name {
		c := byte('A')
		if name[i] == c {
			c = 'B'
		}
		if v, ok := s.RevealPseudonym("purpose", "a.example", name[:i]+string(c)+name[i+1:]); ok {
			t.Errorf("altered at %d it leads to %q", i, v)
		}
	}
	for _, bad := range []string{"", "alice", name + "=", name[:21], name[:22], name + "AA", strings.Repeat("A", 1000)} {
		if v, ok := s.RevealPseudonym("purpose", "a.example", bad); ok {
			t.Errorf("%q leads to %q", bad, v)
		}
	}
	if _, ok := (Secret{}).RevealPseudonym("purpose", "a.example", name); ok {
		t.Error("it leads back without a secret")
	}
}

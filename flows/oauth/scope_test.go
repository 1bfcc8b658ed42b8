package oauth

import (
	"slices"
	"testing"
)

func TestScope(t *testing.T) {
	asked := Scope{"a", "b", "b", "c"}
	for _, c := range []struct {
		rule      string
		got, want Scope
	}{
		{"and", asked.And(Scope{"b", "c", "d"}), Scope{"b", "c"}},
		{"without", asked.Without(Scope{"a"}), Scope{"b", "c"}},
		{"plus, each once", Scope{"c"}.Plus(asked), Scope{"c", "a", "b"}},
		{"plus to none", Scope{}.Plus(asked), Scope{"a", "b", "c"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.rule, c.got, c.want)
		}
	}
	if !asked.Equal(Scope{"c", "b", "a"}) || asked.Equal(Scope{"a"}) || !(Scope{"a"}).Within(asked) || asked.Within(Scope{"a"}) {
		t.Error("sets are compared as sets")
	}
}

package console

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// tableOf is the table of properties on the page of the dialect.
func tableOf(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/dialects/connect2id.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "| property | here |\n|---|---|\n")
	if !ok {
		t.Fatal("the page has no table of properties")
	}
	table, _, _ := strings.Cut(rest, "\n\n")
	return strings.TrimSuffix(table, "\n")
}

// The page says of each property what this package makes of it: there is one table.
func TestThePageOfTheDialectHasTheTable(t *testing.T) {
	var rows []string
	for _, h := range hashProperties {
		rows = append(rows, "| `"+h.prefix+hashSuffix+"[.label]` | API tokens that reach `"+string(h.api)+"` |")
	}
	rows = append(rows, "| `"+issuerProperty+"` | the issuer, which is fixed when the tenant is made |",
		"| `"+aliasProperty+".*` | aliases, of an import only; `"+aliasProperty+"=*` is refused |",
		"| `"+keysProperty+"` | keys, of an import only ([from elsewhere](../admin.md#a-tenant-from-elsewhere)) |",
		"| `"+scopeProperty+"*` | `authorization.claims_of_scope` |")
	names := map[string]bool{}
	for _, p := range properties {
		if names[p.name] {
			t.Errorf("%s is there twice", p.name)
		}
		names[p.name] = true
		here := p.ours
		if p.pointer != "" {
			here = strings.TrimSuffix("`"+dotted(p.pointer)+"`; "+p.ours, "; ")
		}
		if here == "" {
			t.Errorf("nothing is said of %s", p.name)
		}
		rows = append(rows, "| `"+p.name+"` | "+here+" |")
	}
	slices.Sort(rows)
	if want := strings.Join(rows, "\n"); want != tableOf(t) {
		t.Errorf("the table of docs/dialects/connect2id.md is not\n%s", want)
	}
}

package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/chancery-id/chancery/flows/audit"
)

// Every kind of event, a constant of type audit.Kind, is in audit.Kinds: webhooks can ask for those.
func TestDescriptionOfEvents(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../../flows/audit/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []audit.Kind
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if name, ok := v.Type.(*ast.Ident); !ok || name.Name != "Kind" {
				continue
			}
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, audit.Kind(text))
		}
	}
	got := audit.Kinds()
	if len(declared) < 30 {
		t.Fatal("event.go is not read: ", declared)
	}
	for _, k := range declared {
		if !slices.Contains(got, k) {
			t.Errorf("audit.Kinds (flows/audit/kinds.go) lacks %s", k)
		}
	}
	slices.Sort(got)
	if n := len(slices.Compact(got)); n != len(declared) {
		t.Errorf("%d kinds, %d are declared", n, len(declared))
	}
}

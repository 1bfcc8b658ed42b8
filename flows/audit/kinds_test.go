package audit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// Every constant of type Kind in event.go is in Kinds.
func TestKindsAreAll(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []Kind
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
			declared = append(declared, Kind(text))
		}
	}
	got := Kinds()
	if len(declared) < 30 {
		t.Fatal("event.go is not read: ", declared)
	}
	for _, k := range declared {
		if !slices.Contains(got, k) {
			t.Errorf("Kinds lacks %s", k)
		}
	}
	slices.Sort(got)
	if n := len(slices.Compact(got)); n != len(declared) {
		t.Errorf("%d kinds, %d are declared", n, len(declared))
	}
}

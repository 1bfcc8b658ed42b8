package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// An error description is sent to clients, in JSON and in a quoted header, so it keeps to the characters
// of RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E.
func TestErrorDescriptionsKeepToRFC6749(t *testing.T) {
	h, _ := listPackages(t)
	fset, parsed := token.NewFileSet(), map[string]*ast.File{}
	for rel, name := range goFiles(t) {
		if strings.HasSuffix(rel, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed[rel] = f
	}
	read := 0
	for _, rel := range slices.Sorted(maps.Keys(parsed)) {
		for _, d := range descriptions(string(h), parsed[rel]) {
			read++
			if strings.ContainsFunc(d.text, outsideRFC6749) {
				t.Errorf("%s:%d: %q leaves the characters of RFC 6749 §5.2", rel, fset.Position(d.pos).Line, d.text)
			}
		}
	}
	if read == 0 {
		t.Error("no error description was found: this test no longer sees the calls it is meant to read")
	}
}

func TestErrorDescriptionsAreFound(t *testing.T) {
	for _, tt := range []struct {
		rule, source string
		want         []string
	}{
		{"a constructor's literal is read", `import "m/flows/oauth"; var _ = oauth.InvalidGrant("a")`, []string{"a"}},
		{"also inside a function, with its cause", `import "m/flows/oauth"; func f(err error) error { return oauth.InvalidGrant("a").Because(err) }`, []string{"a"}},
		{"also under another name", `import o "m/flows/oauth"; var _ = o.InvalidGrant("a")`, []string{"a"}},
		{"also raw and in pieces", "import \"m/flows/oauth\"; var _ = oauth.InvalidGrant(`a` + (\"b\"))", []string{"a", "b"}},
		{"also as a member", `import "m/flows/oauth"; var _ = &oauth.Error{Code: "c", Description: "a"}`, []string{"a"}},
		{"also at home", `package oauth; var _ = &Error{Description: "a"}`, []string{"a"}},
		{"another package's words are not ours", `import "other/oauth"; var _ = oauth.InvalidGrant("a")`, nil},
		{"what is inside another call is not a description", `import "m/flows/oauth"; var _ = oauth.InvalidGrant(f("a"))`, nil},
	} {
		if !strings.HasPrefix(tt.source, "package") {
			tt.source = "package p; " + tt.source
		}
		f, err := parser.ParseFile(token.NewFileSet(), "", tt.source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", tt.rule, err)
		}
		var got []string
		for _, d := range descriptions("m", f) {
			got = append(got, d.text)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.rule, got, tt.want)
		}
	}
	for text, outside := range map[string]bool{
		"Code is expired, or used!": false, "~[]^_": false, "": false,
		`a "quote"`: true, `a \ backslash`: true, "two\nlines": true, "naïve": true, "a\x7f": true,
	} {
		if got := strings.ContainsFunc(text, outsideRFC6749); got != outside {
			t.Errorf("%q outside: got %v, want %v", text, got, outside)
		}
	}
}

func outsideRFC6749(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }

type description struct {
	pos  token.Pos
	text string
}

// descriptions returns the string literals that f hands to functions of the module's flows/oauth, or
// writes as the Description of its Error.
func descriptions(module string, f *ast.File) []description {
	name := ""
	for _, spec := range f.Imports {
		if spec.Path.Value == strconv.Quote(module+"/flows/oauth") {
			if name = "oauth"; spec.Name != nil {
				name = spec.Name.Name
			}
		}
	}
	atHome := f.Name.Name == "oauth"
	if name == "" && !atHome {
		return nil
	}
	ofOAuth := func(e ast.Expr) (string, bool) {
		switch e := e.(type) {
		case *ast.SelectorExpr:
			x, ok := e.X.(*ast.Ident)
			return e.Sel.Name, ok && x.Name == name
		case *ast.Ident:
			return e.Name, atHome && e.IsExported()
		}
		return "", false
	}
	var found []description
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if _, ok := ofOAuth(n.Fun); ok {
				for _, arg := range n.Args {
					found = append(found, literals(arg)...)
				}
			}
		case *ast.CompositeLit:
			if what, ok := ofOAuth(n.Type); !ok || what != "Error" {
				break
			}
			for _, member := range n.Elts {
				if kv, ok := member.(*ast.KeyValueExpr); ok && isNamed(kv.Key, "Description") {
					found = append(found, literals(kv.Value)...)
				}
			}
		}
		return true
	})
	return found
}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// literals returns the string literals that e is made of.
func literals(e ast.Expr) []description {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return []description{{e.Pos(), text}}
		}
	case *ast.ParenExpr:
		return literals(e.X)
	case *ast.BinaryExpr:
		return append(literals(e.X), literals(e.Y)...)
	}
	return nil
}

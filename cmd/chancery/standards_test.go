package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// quoted are the words in the code style of Markdown.
var quoted = regexp.MustCompile("`([^`]+)`")

// Every row of docs/standards.md says where and by which tests, and what it names is there.
func TestDescriptionOfStandards(t *testing.T) {
	text, err := os.ReadFile("../../docs/standards.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testFunctions(t)
	rows, standard := 0, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") || strings.HasPrefix(line, "| Standard |") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 4 || strings.TrimSpace(cells[1]) == "" {
			t.Errorf("a row needs four cells: %s", line)
			continue
		}
		if name := strings.TrimSpace(cells[0]); name != "" {
			standard = name
		}
		rows++
		where, shown := quoted.FindAllStringSubmatch(cells[2], -1), quoted.FindAllStringSubmatch(cells[3], -1)
		if standard == "" || len(where) == 0 || len(shown) == 0 {
			t.Errorf("a row needs a standard, a place and a test: %s", line)
		}
		for _, w := range where {
			if _, err := os.Stat(filepath.Join("../..", filepath.FromSlash(w[1]))); err != nil || strings.HasSuffix(w[1], "_test.go") {
				t.Errorf("%s: %s is no file or package of ours", standard, w[1])
			}
		}
		for _, s := range shown {
			if !tests[s[1]] {
				t.Errorf("%s: there is no test %s", standard, s[1])
			}
		}
	}
	if rows == 0 {
		t.Error("docs/standards.md has no table")
	}
}

// testFunctions are the tests and fuzzers of the tree, each as package:Name.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for file, at := range goFiles(t) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), at, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && (strings.HasPrefix(fn.Name.Name, "Test") || strings.HasPrefix(fn.Name.Name, "Fuzz")) {
				names[filepath.ToSlash(filepath.Dir(file))+":"+fn.Name.Name] = true
			}
		}
	}
	return names
}

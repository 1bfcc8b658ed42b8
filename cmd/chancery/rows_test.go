package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each operation of the administration has a command, and each command an operation.
func TestRows(t *testing.T) {
	performs, words := map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		for _, name := range append([]string{r.op}, r.more...) {
			if operationNamed(name) == nil {
				t.Errorf("%s performs %s, which the administration does not have", r.words, name)
			}
			performs[name] = true
		}
		if words[r.words] {
			t.Errorf("%s is there twice", r.words)
		}
		words[r.words] = true
		if group, _, deeper := strings.Cut(r.words, " "); deeper && groups[group] == "" {
			t.Errorf("nothing says what %s commands are about", group)
		}
		if r.list == "" && len(r.columns) > 0 || r.list != "" && len(r.columns) == 0 || len(r.columns)%2 != 0 {
			t.Errorf("%s: a list has columns, and nothing else has", r.words)
		}
		op := operationNamed(r.op)
		for _, f := range r.flags {
			if f.to != "" && !slices.Contains(settable(op), f.to) {
				t.Errorf("%s sets %s, which %s does not have", r.words, f.to, r.op)
			}
		}
		for _, name := range r.without {
			if !slices.Contains(settable(op), name) && !slices.ContainsFunc(pathNames(op.Path), func(part string) bool { return argumentName(part) == name }) {
				t.Errorf("%s goes without %s, which %s does not have", r.words, name, r.op)
			}
		}
		var names []string
		for _, f := range r.inputs() {
			if slices.Contains(names, f.name) {
				t.Errorf("%s has --%s twice", r.words, f.name)
			}
			names = append(names, f.name)
		}
	}
	for _, o := range operations() {
		why, without := uncommanded[o.Name]
		if performs[o.Name] == without {
			t.Errorf("%s: a command performs it: %v; none does, since %q: %v", o.Name, performs[o.Name], why, without)
		}
	}
	for name := range uncommanded {
		if operationNamed(name) == nil {
			t.Errorf("%s has no command, and is no operation either", name)
		}
	}
}

// There is no second way in: what carries a row out reaches nothing but the administration. The one exception makes the
// platform where there is none that could be asked.
func TestOneWayIn(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source := string(text)
		if strings.HasSuffix(file, "_test.go") || !strings.Contains(source, "[]row{") && !strings.Contains(source, "*called)") {
			continue
		}
		read++
		source = strings.ReplaceAll(source, "c.api.app.console.EnsurePlatform(c, \"\")", "")
		for _, way := range []string{".app.", ".db.", "/persistence", "newApp(", "openApp(", "admin.Console"} {
			if strings.Contains(source, way) {
				t.Errorf("%s has another way in: %s", file, way)
			}
		}
	}
	if read < 10 {
		t.Errorf("only %d files carry rows out", read)
	}
}

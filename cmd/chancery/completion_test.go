package main

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// bash itself completes what the program has told it.
func TestCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash")
	}
	p := &program{t: t}
	script := p.run("", "completion", "bash")
	if script.code != 0 || script.err != "" {
		t.Fatalf("%+v", script)
	}
	for _, tt := range []struct {
		rule, line string
		want, not  []string
	}{
		{"commands come first", "", []string{"tenant", "serve", "completion", "grant"}, []string{"--data", "create"}},
		{"those that begin so", "te", []string{"tenant"}, []string{"token", "serve"}},
		{"then those of the group", "tenant ", []string{"create", "set", "check", "hook-secret"}, []string{"rotate", "tenant"}},
		{"a flag before it does not matter", "--data /tmp tenant ", []string{"create"}, []string{"serve"}},
		{"nor one with its value in one word", "--data=/tmp tenant c", []string{"create", "check"}, []string{"set"}},
		{"flags are those of the command", "tenant create acme --", []string{"--template", "--server", "--output"}, []string{"--role"}},
		{"and of the query and body of its operation", "audit list acme --", []string{"--kind", "--since", "--limit"}, []string{"--template"}},
		{"values that are known", "tenant list -o ", []string{"table", "json", "yaml"}, []string{"create"}},
		{"also of a longer flag", "token list acme --output y", []string{"yaml"}, []string{"json"}},
		{"nothing where a value is free", "token create acme --label ", nil, []string{"create", "table"}},
		{"groups of two words end there", "client create ", nil, []string{"create", "list"}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			words := strings.Split("chancery "+tt.line, " ")
			var quotedWords []string
			for _, w := range words {
				quotedWords = append(quotedWords, quoted(w))
			}
			run := exec.Command(bash, "--norc", "--noprofile", "-c", "source /dev/stdin || exit 1\ncomplete -p chancery >&2 || exit 1\n"+
				"COMP_WORDS=("+strings.Join(quotedWords, " ")+")\nCOMP_CWORD=$((${#COMP_WORDS[@]}-1))\n_chancery\nprintf '%s\\n' \"${COMPREPLY[@]}\"")
			var out, errs bytes.Buffer
			run.Stdin, run.Stdout, run.Stderr = strings.NewReader(script.stdout), &out, &errs
			if err := run.Run(); err != nil {
				t.Fatalf("%v: %s", err, errs.String())
			}
			got := strings.Fields(out.String())
			for _, w := range tt.want {
				if !slices.Contains(got, w) {
					t.Errorf("%q is not completed by %s but by %v", tt.line, w, got)
				}
			}
			for _, w := range tt.not {
				if slices.Contains(got, w) {
					t.Errorf("%q is completed by %s", tt.line, w)
				}
			}
		})
	}
	for shell, says := range map[string]string{"zsh": "compdef _chancery chancery", "fish": "complete -c chancery -n '__chancery_at \\'tenant\\'' -a 'create'"} {
		if r := p.run("", "completion", shell); r.code != 0 || !strings.Contains(r.stdout, says) {
			t.Errorf("%s: %d %s", shell, r.code, r.err)
		}
	}
}

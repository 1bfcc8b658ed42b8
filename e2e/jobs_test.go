package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fenced are the blocks of shell commands in a text.
var fenced = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// jobs are the ten of docs/admin.md: their blocks over HTTP, and those with the command line.
func jobs(t *testing.T) (overHTTP, byCommand string) {
	t.Helper()
	text, err := os.ReadFile("../docs/admin.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n## Ten jobs\n")
	section, _, ends := strings.Cut(after, "\n## ")
	if !found || !ends {
		t.Fatal("docs/admin.md has no ten jobs")
	}
	all := strings.Split(section, "\n### ")[1:]
	if len(all) != 10 {
		t.Errorf("there are %d jobs", len(all))
	}
	for _, job := range all {
		title, _, _ := strings.Cut(job, "\n")
		blocks := fenced.FindAllStringSubmatch(job, -1)
		if len(blocks) != 2 || !strings.Contains(blocks[0][1], "curl") || strings.Contains(blocks[0][1], "chancery ") || !strings.Contains(blocks[1][1], "chancery ") || strings.Contains(blocks[1][1], "curl") {
			t.Errorf("%s: it is not shown over HTTP and then with the command line", title)
			continue
		}
		overHTTP += "echo " + "'" + title + "' >&2\n" + blocks[0][1]
		byCommand += "echo " + "'" + title + "' >&2\n" + blocks[1][1]
	}
	return overHTTP, byCommand
}

// What docs/admin.md shows works as it stands there: over HTTP, and with the command line beside the database and far from it.
func TestJobs(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not here")
		}
	}
	t.Parallel()
	s := fresh(t, sqlite, func(*conf) {})
	overHTTP, byCommand := jobs(t)
	for _, tt := range []struct {
		rule, script string
		env          []string
	}{
		{"over HTTP", overHTTP, []string{"BASE=" + s.url, "TOKEN=" + s.adminToken}},
		{"beside the database", byCommand, []string{"CHANCERY_DATA=" + s.data, "CHANCERY_PUBLIC_URL=" + s.publicURL}},
		{"far from it", byCommand, []string{"CHANCERY_SERVER=" + s.url, "CHANCERY_TOKEN=" + s.adminToken}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "password"), []byte("correct horse battery staple\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("bash", "-c", "set -euo pipefail\ncurl() { command curl --fail-with-body --silent --show-error \"$@\"; }\nchancery() { \""+program+"\" \"$@\"; }\n"+tt.script)
			cmd.Dir = dir
			for _, e := range os.Environ() {
				if !strings.HasPrefix(e, "CHANCERY_") {
					cmd.Env = append(cmd.Env, e)
				}
			}
			cmd.Env = append(append(cmd.Env, "CHANCERY_CONFIG="+filepath.Join(dir, "config.yaml")), tt.env...)
			out, err := cmd.CombinedOutput()
			for _, m := range regexp.MustCompile(`chy_[\w.-]{20,}`).FindAllString(string(out), -1) {
				secret(m)
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if lines, err := os.ReadFile(filepath.Join(dir, "events.jsonl")); err != nil || !strings.Contains(string(lines), `"kind":"tenant_created"`) {
				t.Errorf("the export is %q, %v", lines, err)
			}
		})
	}
}

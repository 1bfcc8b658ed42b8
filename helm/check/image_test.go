package check

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// instructions are those of a Dockerfile's last stage, by their names, with lines put together.
func instructions(dockerfile string) map[string][]string {
	dockerfile = strings.ReplaceAll(dockerfile, "\\\n", " ")
	_, last, _ := strings.Cut(dockerfile, "\nFROM scratch\n")
	all := map[string][]string{}
	for line := range strings.Lines(last) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[name] = append(all[name], rest)
	}
	return all
}

// The image fits the chart, and is built as make builds.
func TestImage(t *testing.T) {
	dockerfile := read(t, "../Dockerfile")
	last := instructions(dockerfile)
	o := rendered(t, valuesFiles(t)["minimal"])
	s := o.deployment.Spec.Template.Spec.SecurityContext
	uid := strconv.FormatInt(*s.RunAsUser, 10) + ":" + strconv.FormatInt(*s.RunAsGroup, 10)
	ports := strconv.Itoa(public) + " " + strconv.Itoa(operations)
	for name, want := range map[string]string{"USER": uid, "EXPOSE": ports, "ENTRYPOINT": `["/chancery"]`, "CMD": `["serve"]`} {
		if got := last[name]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s %v, want %s", name, got, want)
		}
	}
	if len(last["RUN"]) > 0 || len(last["COPY"]) != 2 {
		t.Errorf("there is more in the image than the server and the authorities: %v", last)
	}
	for _, flag := range []string{"CGO_ENABLED=0", "-trimpath", "-tags nomsgpack", `-s -w`, "-X main.version=", "./cmd/chancery"} {
		if !strings.Contains(dockerfile, flag) {
			t.Errorf("it is not built with %s", flag)
		}
	}
	release := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(read(t, "../../go.mod"))[1]
	if !strings.Contains(dockerfile, "golang:"+release+" AS build") {
		t.Errorf("it is not built with Go %s", release)
	}
}

// What keeps things out of the build lets in every package of the server.
func TestImageIsBuiltFromEverything(t *testing.T) {
	lets := map[string]bool{}
	for line := range strings.Lines(read(t, "../Dockerfile.dockerignore")) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "!"); ok {
			lets[name] = true
		}
	}
	list := exec.Command("go", "list", "-deps", "-tags", "nomsgpack", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", "./cmd/chancery")
	list.Dir = "../.."
	text, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(text))
	if len(packages) < 10 {
		t.Fatalf("the server has the packages %v", packages)
	}
	for _, p := range packages {
		top := strings.Split(strings.TrimPrefix(p, "github.com/chancery-id/chancery/"), "/")[0]
		if !lets[top] {
			t.Errorf("%s is kept out", p)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if !lets[name] {
			t.Errorf("%s is kept out", name)
		}
	}
}

package main_test

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The floor plan of docs/design.md §2, as a test. A change that breaks it either belongs in another
// room, or changes the design: then the drawing changes first, and these tables with it.

// floors are the rooms, lowest floor first. A room imports from floors below its own.
var floors = [][]string{
	{"flows/oauth", "flows/audit", "tenant", "tenant/keys", "tenant/outbound"},
	{"flows/request", "flows/grant", "flows/session", "flows/account", "flows/clientauth", "flows/proof",
		"flows/script", "flows/limit", "flows/outbox"},
	{"flows/authorize", "flows/ciba", "flows/device", "flows/decoupled", "flows/access", "flows/logout", "flows/sts"},
	{"flows/token", "flows/registration", "flows/challenge", "flows/discovery"},
	{"admin"},
	{"web/wire", "web/transcript", "web/properties", "persistence", "migrations"},
	{"web/oidc", "web/connect2id", "web/authlete", "web/firstparty", "web/login", "web/console",
		"persistence/postgres", "persistence/sqlite", "persistence/conformance"},
	{"web"},
	{"cmd/chancery", "cmd/loadgen"},
}

// chains are the imports allowed inside a floor: each room may import those after it.
var chains = [][]string{
	{"tenant", "tenant/keys", "tenant/outbound"},
	{"tenant", "flows/oauth"},
	{"tenant", "flows/audit"},
	{"flows/discovery", "flows/registration", "flows/token"},
	{"flows/ciba", "flows/decoupled"},
	{"flows/device", "flows/decoupled"},
	{"persistence", "migrations"},
}

// doors speak one dialect each, or are our own pages.
var doors = []string{"web/oidc", "web/connect2id", "web/authlete", "web/firstparty", "web/login", "web/console"}

// annexes stand beside the house: they use the server from outside and import nothing of ours.
var annexes = []string{"docs", "e2e"}

// keepers say who may import what comes from outside; "…" stands for everything below. The longest
// library path that matches counts. What is not listed is free in the standard library, and needs a row
// here otherwise.
var keepers = []struct {
	library string
	rooms   []string
}{
	{"C", nil}, // the binary is static
	{"testing", []string{"persistence/conformance", "web/transcript"}},
	{"net/http", []string{"web/…", "tenant/outbound", "cmd/…"}},
	{"database/sql", []string{"persistence/…", "migrations"}},

	{"github.com/gin-gonic", []string{"web/…"}},
	{"gorm.io", []string{"persistence/…"}},
	{"github.com/jackc", []string{"persistence/…"}},
	{"modernc.org", []string{"persistence/…"}},
	{"github.com/pressly/goose", []string{"migrations"}},
	{"github.com/exaring/otelpgx", []string{"persistence/…"}},
	{"github.com/lestrrat-go", []string{"tenant/keys"}},
	{"code.dny.dev/ssrf", []string{"tenant/outbound"}},
	{"github.com/casbin", []string{"admin"}},
	{"github.com/dop251", []string{"flows/script"}},
	{"github.com/pquerna/otp", []string{"flows/account"}},
	{"github.com/boombuler/barcode", []string{"web/login"}},
	{"github.com/alecthomas/kong", []string{"cmd/…"}},
	{"github.com/goccy/go-yaml", []string{"cmd/chancery"}},
	{"github.com/prometheus", []string{"cmd/…"}},

	{"go.opentelemetry.io/otel", []string{"web/…", "persistence/…", "tenant/keys", "tenant/outbound", "cmd/…"}},
	{"go.opentelemetry.io/otel/sdk", []string{"cmd/…"}},
	{"go.opentelemetry.io/otel/exporters", []string{"cmd/…"}},
	{"go.opentelemetry.io/contrib", []string{"cmd/…"}},
	{"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic", []string{"web/…"}},
	{"go.opentelemetry.io/contrib/instrumentation/net/http", []string{"tenant/outbound"}},

	{"github.com/google/go-cmp", []string{"persistence/conformance"}},
	{"pgregory.net/rapid", []string{"persistence/conformance"}},
	{"github.com/google/uuid", []string{"…"}},
	{"github.com/maypok86/otter", []string{"…"}},
	{"golang.org/x", []string{"…"}},
}

// house is the module path of whatever house is judged.
type house string

// verdict says what is wrong with one import, or nothing.
func (h house) verdict(from, imported string) string {
	to, ours := strings.CutPrefix(imported, string(h)+"/")
	if annex := annexOf(from); annex != "" {
		if ours && annexOf(to) != annex {
			return "imports our own package"
		}
		return ""
	}
	if floorOf(from) < 0 {
		return "is not on the plan"
	}
	if !ours {
		return keeperVerdict(from, imported)
	}
	switch {
	case floorOf(to) < 0:
		return "imports what is not on the plan"
	case isStore(to) && !isStore(from) && !within("cmd", from):
		return "imports persistence, which only cmd may"
	case isStore(from) && within("web", to):
		return "is a store and imports the web"
	case slices.Contains(doors, from) && slices.Contains(doors, to):
		return "is a door and imports another door"
	case floorOf(to) >= floorOf(from) && !chained(from, to):
		return "imports from a floor that is not below"
	}
	return ""
}

func keeperVerdict(from, imported string) string {
	best := -1
	for i, k := range keepers {
		if within(k.library, imported) && (best < 0 || len(k.library) > len(keepers[best].library)) {
			best = i
		}
	}
	if best < 0 {
		if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
			return "imports a library without a keeper"
		}
		return ""
	}
	for _, room := range keepers[best].rooms {
		if tree, all := strings.CutSuffix(room, "…"); from == room || all && within(strings.TrimSuffix(tree, "/"), from) {
			return ""
		}
	}
	return "is not the keeper of this library"
}

// within reports whether name is tree or below it.
func within(tree, name string) bool {
	return tree == "" || name == tree || strings.HasPrefix(name, tree+"/")
}

func floorOf(room string) int {
	return slices.IndexFunc(floors, func(rooms []string) bool { return slices.Contains(rooms, room) })
}

func annexOf(pkg string) string {
	if i := slices.IndexFunc(annexes, func(a string) bool { return within(a, pkg) }); i >= 0 {
		return annexes[i]
	}
	return ""
}

func isStore(room string) bool { return within("persistence", room) || room == "migrations" }

func chained(from, to string) bool {
	return slices.ContainsFunc(chains, func(c []string) bool {
		i := slices.Index(c, from)
		return i >= 0 && slices.Contains(c[i+1:], to)
	})
}

func TestHouseKeepsToThePlan(t *testing.T) {
	h, packages := listPackages(t)
	listed := map[string]bool{}
	for _, p := range packages {
		from := strings.TrimPrefix(p.ImportPath, string(h)+"/")
		listed[from] = true
		imports := p.Imports
		for _, f := range p.IgnoredGoFiles { // another system's files count as well
			if !strings.HasSuffix(f, "_test.go") {
				imports = append(imports, importsOf(t, filepath.Join(p.Dir, f))...)
			}
		}
		if annexOf(from) != "" { // a test that reaches inside is no longer a test from outside
			imports = append(imports, slices.Concat(p.TestImports, p.XTestImports)...)
		} else if floorOf(from) < 0 {
			t.Errorf("%s is not on the plan", from)
			continue
		}
		slices.Sort(imports)
		for _, imported := range slices.Compact(imports) {
			if wrong := h.verdict(from, imported); wrong != "" {
				t.Errorf("%s %s: %s", from, wrong, imported)
			}
		}
	}
	for file := range goFiles(t) {
		if dir := path.Dir(file); !listed[dir] {
			t.Errorf("%s is in a package that go list does not know", file)
			listed[dir] = true
		}
	}
}

func TestPlanRejects(t *testing.T) {
	const h = house("example.org/house")
	for _, tt := range []struct{ rule, from, imported, want string }{
		{"a flow may import a noun", "flows/authorize", "example.org/house/flows/grant", ""},
		{"a noun may not import a flow", "flows/grant", "example.org/house/flows/authorize", "imports from a floor that is not below"},
		{"a noun may not import a noun", "flows/grant", "example.org/house/flows/session", "imports from a floor that is not below"},
		{"a flow may not import a door", "flows/token", "example.org/house/web/oidc", "imports from a floor that is not below"},
		{"the tenant may import its keys", "tenant", "example.org/house/tenant/keys", ""},
		{"the tenant may import the far end of its chain", "tenant", "example.org/house/tenant/outbound", ""},
		{"keys know no tenant", "tenant/keys", "example.org/house/tenant", "imports from a floor that is not below"},
		{"audit knows no tenant", "flows/audit", "example.org/house/tenant", "imports from a floor that is not below"},
		{"discovery may import registration", "flows/discovery", "example.org/house/flows/registration", ""},
		{"the token endpoint knows no registration", "flows/token", "example.org/house/flows/registration", "imports from a floor that is not below"},
		{"the token endpoint knows no challenge", "flows/token", "example.org/house/flows/challenge", "imports from a floor that is not below"},
		{"a door may import wire", "web/oidc", "example.org/house/web/wire", ""},
		{"a door may not import a door", "web/connect2id", "example.org/house/web/oidc", "is a door and imports another door"},
		{"a door may not import persistence", "web/oidc", "example.org/house/persistence", "imports persistence, which only cmd may"},
		{"a door may not import an engine", "web/console", "example.org/house/persistence/sqlite", "imports persistence, which only cmd may"},
		{"the gate may import a door", "web", "example.org/house/web/oidc", ""},
		{"the gate may not import persistence", "web", "example.org/house/persistence", "imports persistence, which only cmd may"},
		{"the gate may not import migrations", "web", "example.org/house/migrations", "imports persistence, which only cmd may"},
		{"cmd may import an engine", "cmd/chancery", "example.org/house/persistence/postgres", ""},
		{"an engine may import the store", "persistence/postgres", "example.org/house/persistence", ""},
		{"the store may import its migrations", "persistence", "example.org/house/migrations", ""},
		{"the store may import the flows it serves", "persistence", "example.org/house/flows/token", ""},
		{"the store may import the admin's interface", "persistence", "example.org/house/admin", ""},
		{"the store may not import an engine", "persistence", "example.org/house/persistence/sqlite", "imports from a floor that is not below"},
		{"an engine may not import an engine", "persistence/sqlite", "example.org/house/persistence/postgres", "imports from a floor that is not below"},
		{"a store may not import the web", "persistence/conformance", "example.org/house/web/wire", "is a store and imports the web"},
		{"a room that is not drawn does not exist", "flows/util", "fmt", "is not on the plan"},
		{"a room below a room is not drawn either", "web/oidc/forms", "fmt", "is not on the plan"},
		{"a room that is not drawn cannot be imported", "flows/token", "example.org/house/flows/util", "imports what is not on the plan"},
		{"an annex cannot be imported", "cmd/chancery", "example.org/house/e2e/browser", "imports what is not on the plan"},
		{"an example imports nothing of ours", "docs/examples/login", "example.org/house/flows/oauth", "imports our own package"},
		{"a scenario imports nothing of ours", "e2e", "example.org/house/web", "imports our own package"},
		{"a scenario may import its own tools", "e2e/code", "example.org/house/e2e/browser", ""},
		{"a scenario may import any library", "e2e", "gorm.io/gorm", ""},
		{"a house with a longer name is not ours", "flows/token", "example.org/household/flows", "imports a library without a keeper"},

		{"the web keeps gin", "web/wire", "github.com/gin-gonic/gin", ""},
		{"a flow may not import gin", "flows/token", "github.com/gin-gonic/gin", "is not the keeper of this library"},
		{"an engine may import gorm's driver", "persistence/sqlite", "gorm.io/driver/sqlite", ""},
		{"cmd may not import gorm", "cmd/chancery", "gorm.io/gorm", "is not the keeper of this library"},
		{"a flow may not import database/sql", "flows/grant", "database/sql", "is not the keeper of this library"},
		{"keys keep jwx", "tenant/keys", "github.com/lestrrat-go/jwx/v2/jws", ""},
		{"the tenant may not import jwx", "tenant", "github.com/lestrrat-go/jwx/v2/jwk", "is not the keeper of this library"},
		{"admin keeps casbin", "admin", "github.com/casbin/casbin/v2", ""},
		{"the console may not import casbin", "web/console", "github.com/casbin/casbin/v2", "is not the keeper of this library"},
		{"script keeps goja", "flows/script", "github.com/dop251/goja", ""},
		{"a flow may not import goja", "flows/challenge", "github.com/dop251/goja", "is not the keeper of this library"},
		{"outbound may import net/http", "tenant/outbound", "net/http", ""},
		{"a flow may not import net/http", "flows/clientauth", "net/http", "is not the keeper of this library"},
		{"nor what is below it", "flows/outbox", "net/http/httptrace", "is not the keeper of this library"},
		{"net/url is not net/http", "flows/clientauth", "net/url", ""},
		{"a door may open a span", "web/oidc", "go.opentelemetry.io/otel/trace", ""},
		{"a flow may not open a span", "flows/token", "go.opentelemetry.io/otel", "is not the keeper of this library"},
		{"the SDK is for cmd", "cmd/chancery", "go.opentelemetry.io/otel/sdk/trace", ""},
		{"the web may not import the SDK", "web", "go.opentelemetry.io/otel/sdk/metric", "is not the keeper of this library"},
		{"nor an exporter", "web", "go.opentelemetry.io/otel/exporters/prometheus", "is not the keeper of this library"},
		{"the web traces gin", "web", "go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin", ""},
		{"cgo is for nobody", "persistence/sqlite", "C", "is not the keeper of this library"},
		{"a library without a row needs one", "flows/account", "github.com/example/odds", "imports a library without a keeper"},
		{"the standard library is free", "flows/account", "crypto/subtle", ""},
	} {
		if got := h.verdict(tt.from, tt.imported); got != tt.want {
			t.Errorf("%s: %s → %s: got %q, want %q", tt.rule, tt.from, tt.imported, got, tt.want)
		}
	}
}

// The tables agree with one another and with the drawing.
func TestPlanIsDrawn(t *testing.T) {
	text, err := os.ReadFile("../../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	_, drawing, _ := strings.Cut(string(text), "## 2. Floor plan")
	_, drawing, _ = strings.Cut(drawing, "```")
	drawing, _, _ = strings.Cut(drawing, "```")
	words := strings.FieldsFunc(drawing, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
	for _, rooms := range floors {
		for _, room := range rooms {
			if !slices.Contains(words, path.Base(room)) {
				t.Errorf("%s is not in the drawing of docs/design.md §2", room)
			}
		}
	}
	for _, chain := range chains {
		for _, room := range chain {
			if floorOf(room) < 0 || floorOf(room) != floorOf(chain[0]) {
				t.Errorf("the chain %v leaves its floor at %s", chain, room)
			}
		}
	}
	for _, door := range doors {
		if floorOf(door) != floorOf("web")-1 {
			t.Errorf("%s is not on the floor of the doors", door)
		}
	}
	for _, k := range keepers {
		for _, room := range k.rooms {
			if !strings.HasSuffix(room, "…") && floorOf(room) < 0 {
				t.Errorf("the keeper of %s is %s, which is not on the plan", k.library, room)
			}
		}
	}
}

// listedPackage is what we read of go list's answer.
type listedPackage struct {
	ImportPath, Dir                                    string
	Imports, TestImports, XTestImports, IgnoredGoFiles []string
}

func listPackages(t *testing.T) (house, []listedPackage) {
	t.Helper()
	run := func(args ...string) string {
		cmd := exec.Command("go", append([]string{"list", "-tags", "nomsgpack"}, args...)...)
		cmd.Dir = "../.."
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		return string(out)
	}
	module := strings.TrimSpace(run("-m"))
	var packages []listedPackage
	dec := json.NewDecoder(strings.NewReader(run("-json=ImportPath,Dir,Imports,TestImports,XTestImports,IgnoredGoFiles", "./...")))
	for {
		var p listedPackage
		if err := dec.Decode(&p); err == io.EOF {
			return house(module), packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// goFiles returns every Go file of the module by its path below the module's root, with the path to open
// it by. Reading the tree here, and not in go list alone, also tells the test cache what we depend on.
func goFiles(t *testing.T) map[string]string {
	t.Helper()
	const root = "../.."
	files := map[string]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != root {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			if nested == nil || strings.ContainsAny(d.Name()[:1], "._") || slices.Contains([]string{"testdata", "node_modules", "bin", "data"}, d.Name()) {
				return filepath.SkipDir
			}
		}
		if strings.HasSuffix(name, ".go") {
			rel, err := filepath.Rel(root, name)
			files[filepath.ToSlash(rel)] = name
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		imports = append(imports, name)
	}
	return imports
}

package connect2id

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/web/oidc"
	"github.com/chancery-id/chancery/web/wire"
)

// endpoints are all that the dialect has, by their paths relative to the issuer. The page says of each what it is here.
var endpoints = []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/.well-known/openid-federation", "/jwks.json", "/jwks.jwt", "/clients",
	"/federation/clients", "/par", "/ciba", "/token", "/token/introspect", "/token/revoke", "/userinfo", "/authz-sessions/rest/v1", "/authz-sessions/rest/v2", "/authz-sessions/rest/v3",
	"/logout-sessions/rest/v1", "/ciba-sessions/rest/v1", "/direct-authz/rest/v2", "/session-store/rest/v2", "/authz-store/rest/v2", "/authz-store/rest/v3", "/key-store/rest/v1",
	"/sts/rest/v1", "/tenants/rest/v1", "/monitor/v1/metrics", "/monitor/v1/healthcheck", "/config/check", "/"}

// elsewhere are those that other packages serve, and test.
var elsewhere = []string{"/tenants/rest/v1", "/config/check"}

func TestThePageHasEachEndpoint(t *testing.T) {
	b, err := os.ReadFile("../../docs/dialects/connect2id.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(b), "\n## Endpoints\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| (`[^|]*`) \\| (.*) \\|$").FindAllStringSubmatch(section, -1) {
		for _, path := range strings.Split(m[1], ", ") {
			rows[strings.Trim(path, "`")] = m[2]
		}
	}
	engine := gin.New()
	router := wire.NewRouter(&wire.Gate{}, engine)
	(&Door{}).Mount(router)
	(&oidc.Door{Clients: &registration.Service{}}).Mount(router)
	for _, path := range endpoints {
		here, ok := rows[path]
		served := slices.ContainsFunc(engine.Routes(), func(r gin.RouteInfo) bool {
			return r.Path == path || strings.HasPrefix(r.Path, path+"/") && path != "/"
		})
		switch {
		case !ok:
			t.Errorf("the page does not say what %s is", path)
		case !served && !strings.HasPrefix(here, "not served: ") && !slices.Contains(elsewhere, path):
			t.Errorf("%s is not served, and the page says %q", path, here)
		}
	}
	for path := range rows {
		if !slices.Contains(endpoints, path) {
			t.Errorf("the dialect has no %s", path)
		}
	}
}

// Each call of the APIs that this door serves is in a transcript, which is replayed on each engine.
func TestEachCallIsInATranscript(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	var sent []*http.Request
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^> ([A-Z]+) (?:https?://[^/\n]+)?(/[^ ?\n]*)`).FindAllStringSubmatch(string(text), -1) {
			r, err := http.NewRequest(m[1], m[2], nil)
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, r)
		}
	}
	engine := gin.New()
	(&Door{}).Mount(wire.NewRouter(&wire.Gate{}, engine))
	for _, route := range engine.Routes() {
		if strings.HasPrefix(route.Path, "/t/") || strings.HasSuffix(route.Path, "/") || strings.Contains(route.Path, "*") {
			continue // the same below an issuer, and with a slash at the end
		}
		form := regexp.MustCompile("^" + regexp.MustCompile(`:[a-z]+`).ReplaceAllString(route.Path, "[^/]+") + "/?$")
		if !slices.ContainsFunc(sent, func(r *http.Request) bool { return r.Method == route.Method && form.MatchString(r.URL.Path) }) {
			t.Errorf("no transcript has %s %s", route.Method, route.Path)
		}
	}
}

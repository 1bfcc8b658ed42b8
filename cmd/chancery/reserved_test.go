package main

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/web/wire"
)

// No tenant's id, and no segment of an issuer's path, may be the first segment of a path that a door serves.
func TestPathsOfDoorsAreReserved(t *testing.T) {
	public := &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}
	a, err := newApp(t.Context(), &config{Data: t.TempDir(), Env: "development"}, public, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	r := wire.NewRouter(&wire.Gate{}, engine)
	for _, d := range a.web(nil, nil, false).Doors {
		d.Mount(r)
	}
	seen := map[string]bool{}
	for _, route := range engine.Routes() {
		first, _, _ := strings.Cut(strings.TrimPrefix(route.Path, "/"), "/")
		if seen[first] || strings.HasPrefix(first, ":") || first == "" {
			continue
		}
		seen[first] = true
		if !admin.Reserved(first) {
			t.Errorf("%s begins with %s, which a tenant could take for its own", route.Path, first)
		}
	}
	if len(seen) < 5 {
		t.Errorf("only %v is served: this test no longer sees the doors", seen)
	}
}

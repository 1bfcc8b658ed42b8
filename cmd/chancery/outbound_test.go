package main

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chancery-id/chancery/tenant/outbound"
)

func TestWhereOutboundCallsMayGo(t *testing.T) {
	site := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(site.Close)
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(plain.Close)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	ca := file("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw}))
	loopback := []string{"127.0.0.0/8"}
	for rule, c := range map[string]struct {
		conf  config
		url   string
		fails bool
	}{
		"a network and an authority of ours": {config{OutboundAllow: loopback, ExtraCA: ca}, site.URL, false},
		"an address of ours":                 {config{OutboundAllow: []string{"10.0.0.0/8", "127.0.0.1"}, ExtraCA: ca}, site.URL, false},
		"no network":                         {config{ExtraCA: ca}, site.URL, true},
		"another network":                    {config{OutboundAllow: []string{"10.0.0.0/8"}, ExtraCA: ca}, site.URL, true},
		"no authority":                       {config{OutboundAllow: loopback}, site.URL, true},
		"http in development":                {config{OutboundAllow: loopback}, plain.URL, false},
		"http in production":                 {config{OutboundAllow: loopback, Env: "production"}, plain.URL, true},
		"http to no network":                 {config{}, plain.URL, true},
	} {
		calls, err := c.conf.outbound()
		if err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		if _, _, err := calls.Get(t.Context(), "acme", c.url, 64); errors.Is(err, outbound.ErrFailed) != c.fails {
			t.Errorf("%s: %v", rule, err)
		}
	}
	for rule, c := range map[string]config{
		"no network":     {OutboundAllow: []string{"example.com"}},
		"no file":        {ExtraCA: filepath.Join(dir, "missing.pem")},
		"no certificate": {ExtraCA: file("empty.pem", []byte("nothing"))},
	} {
		if _, err := c.outbound(); err == nil {
			t.Errorf("%s is taken", rule)
		}
	}
}

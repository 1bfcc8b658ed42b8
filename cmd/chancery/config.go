package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// config is what every command needs. Each flag is also an environment variable.
type config struct {
	Data              string        `name:"data" env:"CHANCERY_DATA" placeholder:"DIR" help:"Directory of the embedded database and of development keys; ./data by default."`
	DatabaseURL       string        `name:"database-url" env:"CHANCERY_DATABASE_URL" placeholder:"URL" help:"PostgreSQL to use instead of the embedded database."`
	ListenDatabaseURL string        `name:"listen-database-url" env:"CHANCERY_LISTEN_DATABASE_URL" placeholder:"URL" help:"Direct connection for notifications, where the main one is pooled by transaction."`
	Env               string        `name:"env" env:"CHANCERY_ENV" default:"development" enum:"development,production" help:"development or production."`
	KEK               string        `name:"kek" env:"CHANCERY_KEK" placeholder:"KEY" help:"Key-encryption key: 32 bytes in base64 or hex."`
	KEKFile           string        `name:"kek-file" env:"CHANCERY_KEK_FILE" placeholder:"FILE" help:"File that holds the key-encryption key."`
	Listen            string        `name:"listen" env:"CHANCERY_LISTEN" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Address of the public, dialect and admin APIs."`
	PublicURL         string        `name:"public-url" env:"CHANCERY_PUBLIC_URL" placeholder:"URL" help:"Where the outside sees this server; the listen address by default. New issuers lie below it."`
	OutboundAllow     []string      `name:"outbound-allow" env:"CHANCERY_OUTBOUND_ALLOW" placeholder:"CIDR" help:"Networks that URLs of tenants and clients may lead to although they are private."`
	DeleteGrace       time.Duration `name:"delete-grace" env:"CHANCERY_DELETE_GRACE" default:"720h" placeholder:"DURATION" help:"For how long a deleted tenant can be restored; 0 removes it at once."`
	remote
	here bool // the database beside this program was named

	ExtraCA string `name:"extra-ca" env:"CHANCERY_EXTRA_CA" placeholder:"FILE" help:"PEM file of certificate authorities that outbound calls trust beside the system's."`
}

// dataDirectory is where the embedded database lies unless another is named.
const dataDirectory = "./data"

// settle notes whether a database was named, and names the one that is used otherwise.
func (c *config) settle() {
	c.here = c.Data != "" || c.DatabaseURL != ""
	c.Data = cmp.Or(c.Data, dataDirectory)
}

func (c *config) production() bool { return c.Env == "production" }

// publicURL is PublicURL, or the address listened at.
func (c *config) publicURL(addr net.Addr, tls bool) (*url.URL, error) {
	s := c.PublicURL
	if s == "" {
		scheme := "http"
		if tls {
			scheme = "https"
		}
		s = scheme + "://" + reachable(addr, c.Listen)
	}
	u, err := url.Parse(strings.TrimRight(s, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("--public-url %q is not an http or https URL without query and fragment", s)
	}
	return u, nil
}

// reachable is addr as one can call it: the loopback where it listens everywhere.
func reachable(addr net.Addr, listen string) string {
	if addr != nil {
		listen = addr.String()
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

var errNoKEK = errors.New("production needs a key-encryption key of its own: set CHANCERY_KEK or CHANCERY_KEK_FILE to 32 random bytes in base64, for example from: openssl rand -base64 32")

var errDevelopmentKEK = errors.New("production does not start with a development key-encryption key: make one of your own, for example with: openssl rand -base64 32")

// kek returns the key-encryption key. In development it is made on first use and kept in the data directory.
func (c *config) kek(rand func([]byte)) ([]byte, error) {
	given := c.KEK
	switch {
	case c.KEK != "" && c.KEKFile != "":
		return nil, errors.New("--kek and --kek-file exclude each other")
	case c.KEKFile != "":
		b, err := os.ReadFile(c.KEKFile)
		if err != nil {
			return nil, err
		}
		given = string(b)
	case c.KEK == "" && c.production():
		return nil, errNoKEK
	}
	if given != "" || c.KEKFile != "" {
		key, err := parseKEK(given)
		if err == nil && c.production() && development(key) {
			return nil, errDevelopmentKEK
		}
		return key, err
	}
	return developmentKEK(filepath.Join(c.Data, "development.kek"), rand)
}

func parseKEK(s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString} {
		if b, err := decode(s); err == nil && len(b) == 32 {
			return b, nil
		}
	}
	return nil, errors.New("the key-encryption key is not 32 bytes in base64 or hex")
}

// A development key ends in a mark that is computed from its random part, so that production knows it wherever it lies.
// 192 random bits remain.
const marked = 24

func mark(key []byte) []byte {
	sum := sha256.Sum256(append([]byte("chancery development key-encryption key "), key[:marked]...))
	return sum[:32-marked]
}

func development(key []byte) bool { return bytes.Equal(key[marked:], mark(key)) }

// developmentKEK reads the key in file, which it makes where it is missing. Of several processes that make it at once, one
// wins and all read the same.
func developmentKEK(file string, rand func([]byte)) ([]byte, error) {
	if b, err := os.ReadFile(file); err == nil {
		return parseKEK(string(b))
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	rand(key[:marked])
	copy(key[marked:], mark(key))
	tmp, err := os.CreateTemp(filepath.Dir(file), ".kek-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.WriteString(base64.StdEncoding.EncodeToString(key) + "\n"); err != nil {
		return nil, err
	}
	if err := tmp.Close(); err != nil {
		return nil, err
	}
	if err := os.Link(tmp.Name(), file); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parseKEK(string(b))
}

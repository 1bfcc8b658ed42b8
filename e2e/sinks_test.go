package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Nothing secret is in any sink (S189): what the shared servers, on which most flows run, have logged, sent to a collector of
// traces and metrics, shown as metrics, answered to what they refused, and stored as it is (audit events and messages among it),
// is searched at the end for every secret that any test has come to know.

// everything is a collector that keeps what it gets as it comes.
var everything struct {
	sync.Mutex
	once   sync.Once
	server *httptest.Server
	got    strings.Builder
}

// observed has a server send all its traces and metrics to a collector.
func observed(c *conf) {
	everything.once.Do(func() {
		everything.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			everything.Lock()
			defer everything.Unlock()
			_, _ = io.Copy(&everything.got, r.Body) // what breaks off has been seen as far as it came
			w.Header().Set("Content-Type", "application/x-protobuf")
		}))
	})
	c.env = append(c.env, "OTEL_EXPORTER_OTLP_ENDPOINT="+everything.server.URL, "OTEL_EXPORTER_OTLP_COMPRESSION=none", "OTEL_METRIC_EXPORT_INTERVAL=5000")
}

// leaks are secrets that answers to refused requests held.
var leaks struct {
	sync.Mutex
	found []string
}

// suspect looks through the answer to a request that was refused.
func suspect(r reply) {
	if r.StatusCode < 400 || len(r.body) == 0 {
		return
	}
	if found := secretsIn(string(r.body)); len(found) > 0 {
		leaks.Lock()
		defer leaks.Unlock()
		leaks.found = append(leaks.found, fmt.Sprintf("%s %s answers %d with %d secrets", r.Request.Method, r.Request.URL.Path, r.StatusCode, len(found)))
	}
}

// leaked returns what is wrong with what the servers that were shared have left anywhere. They are stopped by stop.
func leaked(stop func(*server) error) error {
	var errs []error
	metrics := map[*server]string{}
	for _, s := range servers {
		r, err := try(direct, http.MethodGet, s.ops+"/metrics")
		errs = append(errs, err)
		metrics[s] = string(r.body)
		errs = append(errs, stop(s)) // which sends what is left to the collector
		stored, err := s.stored()
		errs = append(errs, err)
		errs = append(errs, free("the metrics", metrics[s], nil), free("the database of "+s.engine(), stored, isIDToken))
	}
	if everything.server != nil {
		everything.server.Close()
		text := everything.got.String()
		errs = append(errs, free("what the collector got", text, nil))
		if len(servers) > 0 && text == "" {
			errs = append(errs, errors.New("the collector got nothing"))
		}
	}
	for _, l := range leaks.found {
		errs = append(errs, errors.New(l))
	}
	return errors.Join(errs...)
}

func (s *server) engine() string {
	if s.databaseURL == "" {
		return string(sqlite)
	}
	return string(postgres)
}

// isIDToken reports whether v is an ID token. One that is handed in as a hint is kept with its request, for the login UI to see,
// as long as that lasts; it opens nothing.
func isIDToken(v string) bool {
	parts := strings.Split(v, ".")
	if len(parts) != 3 {
		return false
	}
	var header struct{ Typ string }
	var claims map[string]any
	for i, to := range []any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(b, to) != nil {
			return false
		}
	}
	return header.Typ != "at+jwt" && (claims["nonce"] != nil || claims["auth_time"] != nil || claims["at_hash"] != nil)
}

// free returns an error where text holds a secret that is not excused.
func free(what, text string, excused func(secret string) bool) error {
	var errs []error
	for v, i := range whereIn(text) {
		if len(errs) < 5 && (excused == nil || !excused(v)) {
			errs = append(errs, fmt.Errorf("%s: a secret of %d characters, after %q", what, len(v), text[max(0, i-160):min(len(text), i+4)]))
		}
	}
	return errors.Join(errs...)
}

// stored is all that is in the database of a server that has stopped, as whoever steals it sees it.
func (s *server) stored() (string, error) {
	var all strings.Builder
	if s.databaseURL == "" {
		files, err := filepath.Glob(filepath.Join(s.data, "chancery.db*"))
		for _, f := range files {
			b, rerr := os.ReadFile(f)
			err = errors.Join(err, rerr)
			all.Write(b)
		}
		return all.String(), err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, s.databaseURL)
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	rows, err := c.Query(ctx, `SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
	if err != nil {
		return "", err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", err
	}
	for _, table := range tables {
		rows, err := c.Query(ctx, `SELECT t::text FROM `+table+` t`)
		if err != nil {
			return "", err
		}
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return "", err
		}
		all.WriteString(table + "\n" + strings.Join(texts, "\n") + "\n")
	}
	return all.String(), nil
}

package check

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// newDatabase makes an empty database on the server that tests are given.
func newDatabase(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("CHANCERY_TEST_DATABASE_URL")
	if dsn == "" {
		t.Skip("CHANCERY_TEST_DATABASE_URL is not set")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	var b [6]byte
	_, _ = rand.Read(b[:])
	name := "chart_" + hex.EncodeToString(b[:])
	statement := func(sql string) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	statement("CREATE DATABASE " + name)
	t.Cleanup(func() { statement("DROP DATABASE " + name + " WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}

package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/chancery-id/chancery/persistence/conformance"
	"github.com/chancery-id/chancery/persistence/postgres"
)

// BenchmarkStore also reports how much write-ahead log an operation makes, in bytes. Nobody else may write meanwhile.
func BenchmarkStore(b *testing.B) {
	dsn := fresh(b)
	conformance.Benchmark(b, open(b, postgres.Options{DSN: dsn}), func(b *testing.B, run func()) {
		exec(b, dsn, `CHECKPOINT`)
		before := written(b, dsn)
		run()
		b.ReportMetric(float64(written(b, dsn)-before)/float64(b.N), "WAL-B/op")
	})
}

// written returns how much write-ahead log there is.
func written(b *testing.B, dsn string) (n int64) {
	b.Helper()
	ctx := b.Context()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint`).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

package postgres_test

import (
	"sync/atomic"
	"testing"

	"github.com/chancery-id/chancery/persistence/conformance"
	"github.com/chancery-id/chancery/persistence/postgres"
)

func TestBudget(t *testing.T) {
	var n atomic.Int64
	db := open(t, postgres.Options{DSN: fresh(t), Statement: func(string) { n.Add(1) }})
	conformance.Budget(t, db, func() int { return int(n.Load()) })
	if n.Load() < 30 {
		t.Errorf("only %d statements were counted at all", n.Load())
	}
}

package main

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// How often the house is kept, and in what portions.
const (
	sweepEvery  = 30 * time.Second
	rotateEvery = 10 * time.Minute
	sweepBatch  = 500
	rotateBatch = 100
)

// keepHouse deletes what has expired and rotates keys that are due, until ctx ends. Any number of instances may do so at
// once. What fails is tried again in the next round.
func (a *app) keepHouse(ctx context.Context) error {
	sweep, rotate := time.NewTicker(sweepEvery), time.NewTicker(rotateEvery)
	defer sweep.Stop()
	defer rotate.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			a.sweep(ctx)
		case <-rotate.C:
			a.rotate(ctx)
		}
	}
}

// sweep deletes in small portions, with a pause after each, so that it never stands in the way.
func (a *app) sweep(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := a.db.Sweep(ctx, time.Now(), sweepBatch)
		if err != nil && ctx.Err() == nil {
			a.log.Warn("expired rows are not deleted", "error", err)
		}
		if err != nil || n == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// rotate goes through all tenants whose keys may be due.
func (a *app) rotate(ctx context.Context) {
	for after := tenant.ID(""); ctx.Err() == nil; {
		next, err := a.console.RotateDue(ctx, after, rotateBatch)
		if err != nil && ctx.Err() == nil {
			a.log.Warn("keys are not rotated", "error", err)
		}
		if after = next; after == "" {
			return
		}
	}
}

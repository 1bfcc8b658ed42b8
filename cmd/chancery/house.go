package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
)

// How often the house is kept, and in what portions.
const (
	sweepEvery  = 30 * time.Second
	rotateEvery = 10 * time.Minute
	sweepBatch  = 500
	rotateBatch = 100
	sealEvery   = 5 * time.Second
	sealBatch   = 1000
	usesEvery   = 10 * time.Second
)

// keepHouse deletes what has expired and rotates keys that are due, until ctx ends. Any number of instances may do so at
// once. What fails is tried again in the next round.
func (a *app) keepHouse(ctx context.Context) error {
	sweep, rotate := time.NewTicker(sweepEvery), time.NewTicker(rotateEvery)
	defer sweep.Stop()
	defer rotate.Stop()
	seal, holder := time.NewTicker(sealEvery), holder()
	defer seal.Stop()
	uses := time.NewTicker(usesEvery)
	defer uses.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			a.writeUses(last)
			return nil
		case <-uses.C:
			a.writeUses(ctx)
		case <-sweep.C:
			a.sweep(ctx)
			a.suspend(ctx)
		case <-rotate.C:
			a.rotate(ctx)
		case <-seal.C:
			a.seal(ctx, holder)
		}
	}
}

// suspend suspends webhooks to which too much is owed.
func (a *app) suspend(ctx context.Context) {
	n, err := a.db.SuspendWebhooks(ctx, time.Now(), outbox.MostOwed, audit.WebhookSuspended)
	switch {
	case err != nil && ctx.Err() == nil:
		a.log.Warn("webhooks are not suspended", "error", err)
	case n > 0:
		a.log.Warn("webhooks are suspended, as too much was not delivered", "webhooks", n)
	}
}

// writeUses records which API tokens were used.
func (a *app) writeUses(ctx context.Context) {
	if err := a.uses.Write(ctx, time.Now()); err != nil && ctx.Err() == nil {
		a.log.Warn("uses of API tokens are not recorded", "error", err)
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

// holder names this process among those that may seal.
func holder() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// seal seals what has happened, up to a moment ago.
func (a *app) seal(ctx context.Context, holder string) {
	for ctx.Err() == nil {
		now := time.Now()
		n, err := a.db.SealEvents(ctx, holder, now, now.Add(-admin.SealLag), sealBatch)
		if err != nil && ctx.Err() == nil {
			a.log.Warn("events are not sealed", "error", err)
		}
		if a.sealed.Add(int64(n)); err != nil || n < sealBatch {
			return
		}
	}
}

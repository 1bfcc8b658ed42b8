package script

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Journal collects what scripts write, and hands it to the Store from time to time, so that no call waits for it.
type Journal struct {
	Store Store
	// Lost is told what could not be written. nil: nobody is.
	Lost func(error)

	mu      sync.Mutex
	entries map[tenant.ID][]Entry
	dropped map[tenant.ID]int
	count   int
}

// What is collected at most between two writings.
const (
	WriteEvery    = time.Second
	tenantEntries = 500 // of one tenant
	allEntries    = 20_000
)

// Add collects lines of p.
func (j *Journal) Add(t tenant.ID, p *Program, at time.Time, lines []Line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.entries == nil {
		j.entries, j.dropped = map[tenant.ID][]Entry{}, map[tenant.ID]int{}
	}
	for _, l := range lines {
		if len(j.entries[t]) >= tenantEntries || j.count >= allEntries {
			if j.entries[t] != nil {
				j.dropped[t]++
			}
			continue
		}
		j.entries[t] = append(j.entries[t], Entry{At: at, Script: p.Name, Version: p.Version, Line: l})
		j.count++
	}
}

// Run writes until ctx ends, and then once more.
func (j *Journal) Run(ctx context.Context) {
	tick := time.NewTicker(WriteEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			j.Write(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			j.Write(last)
			return
		}
	}
}

// Write writes what was collected. What cannot be written is lost.
func (j *Journal) Write(ctx context.Context) {
	j.mu.Lock()
	entries, dropped := j.entries, j.dropped
	j.entries, j.dropped, j.count = nil, nil, 0
	j.mu.Unlock()
	for t, xs := range entries {
		if n := dropped[t]; n > 0 {
			last := xs[len(xs)-1]
			last.Line = Line{"warn", fmt.Sprintf("%d more lines were written at that time, and are not kept", n)}
			xs = append(xs, last)
		}
		if err := j.Store.Log(ctx, t, xs); err != nil && j.Lost != nil {
			j.Lost(err)
		}
	}
}

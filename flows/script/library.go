package script

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Library finds the scripts that run.
type Library struct {
	Store Store

	mu       sync.Mutex
	programs shelf[*Program] // by tenant and digest, which never change
}

var (
	errUnknown = fmt.Errorf("%w: there is no such script, or it is not active", ErrScript)
	errDigest  = fmt.Errorf("%w: it is not the one that was activated", ErrScript)
)

// Active returns the program of that name that t runs, or ErrScript.
func (l *Library) Active(ctx context.Context, t *tenant.Tenant, name string) (*Program, error) {
	s, ok := t.Settings.Scripts[name]
	if !ok {
		return nil, errUnknown
	}
	key := string(t.ID) + " " + name + " " + s.Digest
	l.mu.Lock()
	p, ok := l.programs.get(key)
	l.mu.Unlock()
	if ok {
		return p, nil
	}
	v, err := l.Store.Version(ctx, t.ID, name, s.Version)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, errUnknown
	case err != nil:
		return nil, oauth.Unavailable().Because(err)
	case v.Digest != s.Digest || Digest(v.Source) != s.Digest:
		return nil, errDigest
	}
	p = v.Program()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.programs.put(key, p, len(p.Source))
	return p, nil
}

// Program is v as it runs.
func (v *Version) Program() *Program {
	return &Program{Name: v.Script, Version: v.Number, Digest: v.Digest, Source: v.Source}
}

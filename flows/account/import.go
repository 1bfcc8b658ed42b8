package account

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// MaxImport is how many accounts one import may bring.
const MaxImport = 1000

// Imported is an account that was kept elsewhere. Without a hash it cannot sign in with a password.
type Imported struct {
	Username     string
	PasswordHash string // one of schemes
	Claims       map[string]json.RawMessage
	Disabled     bool
}

// Import records accounts with random subjects, all or none, and returns them in their order. What breaks the rules of
// Create, or has a user name that is taken or comes twice, is *Faults, with every one of them. It is one event.
func (s *Service) Import(ctx context.Context, t *tenant.Tenant, ns []Imported, by By) ([]Account, error) {
	if len(ns) == 0 || len(ns) > MaxImport {
		return nil, errImportSize()
	}
	now := s.now()
	as, names := drafts(ns, now)
	var err error
	for i := range as {
		if as[i].Subject, err = s.subject(); err != nil {
			return nil, err
		}
	}
	if err := s.importable(ctx, t, as, names); err != nil {
		return nil, err
	}
	ev := s.event(audit.UsersImported, "", by, "imported")
	ev.Detail["users"] = strconv.Itoa(len(as))
	err = s.Store.ImportAccounts(ctx, t.ID, now, as, ev)
	if errors.Is(err, ErrExists) { // another was first with a name
		if faults := s.importable(ctx, t, as, names); faults != nil {
			return nil, faults
		}
	}
	if err != nil {
		return nil, worded(err)
	}
	return as, nil
}

// CheckImport returns what Import would find wrong, and records nothing.
func (s *Service) CheckImport(ctx context.Context, t *tenant.Tenant, ns []Imported) error {
	if len(ns) == 0 || len(ns) > MaxImport {
		return errImportSize()
	}
	as, names := drafts(ns, s.now())
	return s.importable(ctx, t, as, names)
}

func errImportSize() error {
	return &Faults{Fields: []tenant.FieldError{{Pointer: "/users", Message: "must have 1 to " + strconv.Itoa(MaxImport) + " users"}}}
}

// drafts are the accounts to be, still without subjects, and their folded names; one that is not allowed is empty.
func drafts(ns []Imported, now time.Time) ([]Account, []string) {
	as, names := make([]Account, len(ns)), make([]string, len(ns))
	var err error
	for i, n := range ns {
		as[i] = Account{PasswordHash: n.PasswordHash, Claims: n.Claims, Disabled: n.Disabled, CreatedAt: now, UpdatedAt: now}
		if as[i].Username, err = username(n.Username); err == nil {
			names[i] = Fold(n.Username)
		}
	}
	return as, names
}

// importable returns what is wrong with accounts of these folded names; an empty one is not allowed.
func (s *Service) importable(ctx context.Context, t *tenant.Tenant, as []Account, names []string) error {
	asked := slices.Compact(slices.Sorted(slices.Values(names)))
	taken, err := s.Store.TakenNames(ctx, t.ID, slices.DeleteFunc(asked, func(name string) bool { return name == "" }))
	if err != nil {
		return worded(err)
	}
	var fields []tenant.FieldError
	before := map[string]bool{}
	for i, a := range as {
		say := func(member, message string) {
			fields = append(fields, tenant.FieldError{Pointer: "/users/" + strconv.Itoa(i) + member, Message: message})
		}
		switch name := names[i]; {
		case name == "":
			say("/username", "is empty, too long or holds characters that are not allowed")
		case before[name]:
			say("/username", "is that of an earlier one")
		case slices.Contains(taken, name):
			say("/username", "is taken")
		}
		before[names[i]] = true
		if _, err := parseHash(a.PasswordHash); err != nil && a.PasswordHash != "" {
			say("/password_hash", "is not one that can be imported, or takes too much to check")
		}
		for _, f := range claimFaults(a.Claims) {
			say(f.Pointer, f.Message)
		}
	}
	if len(fields) > 0 {
		return &Faults{Fields: fields}
	}
	return nil
}

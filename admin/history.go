package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Revision is what the settings of a tenant were after one change.
type Revision struct {
	Version  int64 // of the tenant after the change
	At       time.Time
	Actor    string // empty: who made it is not known
	Address  string
	Detail   map[string]string // of the event that tells of it
	Settings json.RawMessage   // the document as it was written
}

// History keeps the revisions of settings. The store writes them with each change of settings, whoever makes it: the last
// KeptRevisions of a tenant, and those longer ago than RevisionsKept only where it is the newest.
type History interface {
	// Revisions lists the revisions of a tenant before that version (zero: all), newest first, at most n.
	Revisions(ctx context.Context, id tenant.ID, before int64, n int) ([]Revision, error)
	// Revision returns the revision of that version, or ErrNoRevision.
	Revision(ctx context.Context, id tenant.ID, version int64) (Revision, error)
}

// Bounds of the history of settings.
const (
	KeptRevisions = 100
	RevisionsKept = 400 * 24 * time.Hour
)

// ErrNoRevision means that the settings have no such version, or no longer.
var ErrNoRevision = errors.New("admin: no such revision of settings")

// ErrUnknownRevision is what is said of it.
var ErrUnknownRevision = oauth.NotFound("There is no such version of the settings").Because(ErrNoRevision)

// Difference is one value that differs between two documents. What is absent in one of them is empty there.
type Difference struct {
	Pointer string          `json:"pointer"` // JSON pointer (RFC 6901)
	Old     json.RawMessage `json:"old,omitempty"`
	New     json.RawMessage `json:"new,omitempty"`
}

// Changed is a revision with how it differs from the one before it.
type Changed struct {
	Revision
	First   bool // nothing is kept of what was before
	Changes []Difference
}

// SettingsHistory lists the revisions of a tenant's settings before that version (zero: all), newest first, at most n,
// without their documents.
func (c *Console) SettingsHistory(ctx context.Context, id tenant.ID, before int64, n int) ([]Changed, error) {
	if _, err := c.record(ctx, id); err != nil {
		return nil, err
	}
	var out []Changed
	var later json.RawMessage // document of the last of out
	for more := true; more && len(out) <= n; {
		rs, err := c.Store.Revisions(ctx, id, before, revisionsAtOnce)
		if err != nil {
			return nil, worded(err)
		}
		for _, r := range rs {
			if len(out) > 0 {
				last := &out[len(out)-1]
				last.First = false
				if last.Changes, err = differences(r.Settings, later); err != nil {
					return nil, worded(err)
				}
			}
			before, later, r.Settings = r.Version, r.Settings, nil
			out = append(out, Changed{Revision: r, First: true})
		}
		more = len(rs) == revisionsAtOnce
	}
	return out[:min(n, len(out))], nil
}

// revisionsAtOnce is how many documents are read at a time.
const revisionsAtOnce = 10

// SettingsAt returns the revision of a tenant's settings at that version, with its document.
func (c *Console) SettingsAt(ctx context.Context, id tenant.ID, version int64) (Changed, error) {
	if _, err := c.record(ctx, id); err != nil {
		return Changed{}, err
	}
	found, err := c.Store.Revisions(ctx, id, version+1, 2)
	if err != nil {
		return Changed{}, worded(err)
	}
	if len(found) == 0 || found[0].Version != version {
		return Changed{}, ErrUnknownRevision
	}
	out := Changed{Revision: found[0], First: len(found) == 1}
	if !out.First {
		out.Changes, err = differences(found[1].Settings, out.Settings)
	}
	return out, worded(err)
}

// SettingsDiff returns how a tenant's settings at version to differ from those at version from. Zero is what they are now.
func (c *Console) SettingsDiff(ctx context.Context, id tenant.ID, from, to int64) ([]Difference, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return nil, err
	}
	var docs [2]json.RawMessage
	for i, version := range [...]int64{from, to} {
		if version == 0 {
			docs[i], err = json.Marshal(r.Settings)
		} else {
			var at Revision
			at, err = c.Store.Revision(ctx, id, version)
			docs[i] = at.Settings
		}
		if errors.Is(err, ErrNoRevision) {
			return nil, ErrUnknownRevision
		}
		if err != nil {
			return nil, worded(err)
		}
	}
	ds, err := differences(docs[0], docs[1])
	return ds, worded(err)
}

// RollBack makes a tenant's settings what they were at version to, where the tenant is at that version (zero: whatever it
// is). It is a change like any other: what is no longer acceptable is *Invalid, and the revision it goes back to stays.
func (c *Console) RollBack(ctx context.Context, id tenant.ID, version, to int64, by By) (*tenant.Record, error) {
	if _, err := c.record(ctx, id); err != nil {
		return nil, err
	}
	old, err := c.Store.Revision(ctx, id, to)
	if errors.Is(err, ErrNoRevision) {
		return nil, ErrUnknownRevision
	}
	if err != nil {
		return nil, worded(err)
	}
	s, err := ParseSettings(old.Settings)
	if err != nil {
		return nil, err
	}
	return c.UpdateTenant(ctx, id, version, Change{Settings: &s, restores: to}, by)
}

// differences returns how one document differs from another, by pointer. A list is one value.
func differences(from, to json.RawMessage) ([]Difference, error) {
	a, err := decoded(from)
	if err != nil {
		return nil, err
	}
	b, err := decoded(to)
	if err != nil {
		return nil, err
	}
	out := []Difference{}
	if err := differ(a, b, "", &out); err != nil {
		return nil, err
	}
	return out, nil
}

// escape makes a member name a reference token of a JSON pointer (RFC 6901 §3).
var escape = strings.NewReplacer("~", "~0", "/", "~1")

func differ(a, b any, at string, out *[]Difference) error {
	from, isObject := a.(map[string]any)
	to, isToo := b.(map[string]any)
	if isObject && isToo || isObject && b == nil || isToo && a == nil {
		names := maps.Clone(from)
		if names == nil {
			names = map[string]any{}
		}
		maps.Copy(names, to)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if err := differ(from[name], to[name], at+"/"+escape.Replace(name), out); err != nil {
				return err
			}
		}
		return nil
	}
	d := Difference{Pointer: at}
	var err error
	if a != nil {
		d.Old, err = json.Marshal(a)
	}
	if b != nil && err == nil {
		d.New, err = json.Marshal(b)
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(d.Old, d.New) {
		*out = append(*out, d)
	}
	return nil
}

// details are what the event of a change of settings says.
func (ch *Change) details(what string) []string {
	switch {
	case ch.says != nil:
		return ch.says
	case ch.scope != "":
		return []string{"change", what, "scope", ch.scope}
	case ch.restores == 0:
		return []string{"change", what}
	}
	return []string{"change", "rollback", "to", strconv.FormatInt(ch.restores, 10)}
}

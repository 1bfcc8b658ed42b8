package console

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

// shownRevision is one change of a tenant's settings.
type shownRevision struct {
	Version  int64             `json:"version" doc:"Of the tenant after the change"`
	At       time.Time         `json:"at"`
	Actor    string            `json:"actor,omitempty" doc:"Who made it; absent where that is not known"`
	Address  string            `json:"address,omitempty"`
	Detail   map[string]string `json:"detail,omitempty" doc:"Of the event that tells of it"`
	First    bool              `json:"first" doc:"Nothing is kept of what was before"`
	Changes  []shownDifference `json:"changes"`
	Settings json.RawMessage   `json:"settings,omitempty" of:"settings"`
}

// shownDifference is one value that differs.
type shownDifference struct {
	Pointer string          `json:"pointer" doc:"JSON pointer (RFC 6901) into the settings"`
	Old     json.RawMessage `json:"old,omitempty" doc:"Absent where there was none"`
	New     json.RawMessage `json:"new,omitempty" doc:"Absent where there is none any more"`
}

// revisionList is a page of changes. Next is absent on the last one.
type revisionList struct {
	Changes []shownRevision `json:"changes"`
	Next    string          `json:"next_cursor,omitempty"`
}

// differenceList is how settings differ.
type differenceList struct {
	Changes []shownDifference `json:"changes"`
}

func shownDifferences(ds []admin.Difference) []shownDifference {
	out := make([]shownDifference, len(ds))
	for i, d := range ds {
		out[i] = shownDifference(d)
	}
	return out
}

func shownChange(c *admin.Changed) shownRevision {
	return shownRevision{Version: c.Version, At: c.At, Actor: c.Actor, Address: c.Address, Detail: c.Detail, First: c.First,
		Changes: shownDifferences(c.Changes), Settings: c.Settings}
}

func (d *Door) listSettings(q *call) (*revisionList, error) {
	n, err := limitOf(q.query)
	if err != nil {
		return nil, err
	}
	list := "settings of " + string(q.id)
	after, err := afterOf(q.home, list, q.query)
	if err != nil {
		return nil, err
	}
	before, _ := strconv.ParseInt(after, 10, 64)
	cs, err := d.Console.SettingsHistory(q.Request.Context(), q.id, before, n+1)
	if err != nil {
		return nil, err
	}
	page := &revisionList{Changes: []shownRevision{}}
	for i := range cs[:min(n, len(cs))] {
		page.Changes = append(page.Changes, shownChange(&cs[i]))
	}
	if len(cs) > n {
		page.Next = cursor(q.home, list, strconv.FormatInt(cs[n-1].Version, 10))
	}
	return page, nil
}

func (d *Door) readRevision(q *call) (shownRevision, error) {
	version, err := strconv.ParseInt(q.Param("version"), 10, 64)
	if err != nil || version < 1 || version == math.MaxInt64 {
		return shownRevision{}, admin.ErrUnknownRevision
	}
	c, err := d.Console.SettingsAt(q.Request.Context(), q.id, version)
	return shownChange(&c), err
}

func (d *Door) compareSettings(q *call) (*differenceList, error) {
	var versions [2]int64
	for i, name := range []string{"from", "to"} {
		s := q.query.Get(name)
		if s == "" {
			continue
		}
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil || v < 1 {
			return nil, &badParameter{name, "must be a version"}
		}
		versions[i] = v
	}
	ds, err := d.Console.SettingsDiff(q.Request.Context(), q.id, versions[0], versions[1])
	if err != nil {
		return nil, err
	}
	return &differenceList{shownDifferences(ds)}, nil
}

// newRollback is the body that takes settings back.
type newRollback struct {
	To int64 `json:"to" need:"yes" doc:"The version to go back to"`
}

func (d *Door) rollBackSettings(q *call, b *newRollback) (tenant.Settings, error) {
	if b.To < 1 {
		return tenant.Settings{}, &admin.Invalid{Fields: []tenant.FieldError{{Pointer: "/to", Message: "must be a version"}}}
	}
	r, err := d.Console.Tenant(q.Request.Context(), q.id)
	if err != nil {
		return tenant.Settings{}, err
	}
	at, err := match(q.Context, r.Version)
	if err != nil {
		return tenant.Settings{}, err
	}
	return q.tagging(d.Console.RollBack(q.Request.Context(), r.ID, at, b.To, q.by))
}

// tagging is the settings of a tenant after a change whose body is no settings document.
func (q *call) tagging(r *tenant.Record, err error) (tenant.Settings, error) {
	if err != nil {
		return tenant.Settings{}, err
	}
	q.Header("ETag", etag(r.Version))
	return r.Settings, nil
}

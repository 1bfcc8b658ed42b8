package admin

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Usage tells how much tenants are used.
type Usage interface {
	// TokensIssued lists how many tokens a tenant issued on each day that a query is about, by day and group after that row
	// (zero: from the beginning), at most n.
	TokensIssued(ctx context.Context, id tenant.ID, q UsageQuery, after UsageRow, n int) ([]UsageRow, error)
	// AllTokensIssued is TokensIssued of all tenants together.
	AllTokensIssued(ctx context.Context, q UsageQuery, after UsageRow, n int) ([]UsageRow, error)
	// ActiveSubjects tells how many subjects of a tenant got tokens, by month from one to another, both included; a month in
	// which there was none is not among them.
	ActiveSubjects(ctx context.Context, id tenant.ID, from, to Month) ([]ActiveMonth, error)
}

// UsageQuery says what usage is asked for.
type UsageQuery struct {
	From, To int32 // days since 1970-01-01, UTC, both included
	By       UsageGroup
}

// UsageGroup is what tokens of a day are told apart by.
type UsageGroup string

// The groups. Those of one tenant are by client or kind, those of all by tenant or kind.
const (
	ByNothing UsageGroup = ""
	ByClient  UsageGroup = "client"
	ByKind    UsageGroup = "kind"
	ByTenant  UsageGroup = "tenant"
)

// UsageRow is how many tokens of a group were issued on a day.
type UsageRow struct {
	Day    int32
	Group  string
	Tokens int64
}

// Month is twelve times a year, and the month from 0.
type Month int32

// MonthOf is the month of t in UTC.
func MonthOf(t time.Time) Month { return Month(t.UTC().Year()*12 + int(t.UTC().Month()) - 1) }

// Begin is when m begins.
func (m Month) Begin() time.Time {
	return time.Date(int(m)/12, time.Month(int(m)%12+1), 1, 0, 0, 0, 0, time.UTC)
}

// ActiveMonth is how many subjects got tokens in a month, and on each day of it.
type ActiveMonth struct {
	Month    Month
	Subjects int64
	Days     [31]int64
}

// TokensIssued lists what usage q asks for of a tenant, in the order and with the bounds of Usage.
func (c *Console) TokensIssued(ctx context.Context, id tenant.ID, q UsageQuery, after UsageRow, n int) ([]UsageRow, error) {
	if _, err := c.record(ctx, id); err != nil {
		return nil, err
	}
	rows, err := c.Store.TokensIssued(ctx, id, q, after, n)
	return rows, worded(err)
}

// AllTokensIssued lists what usage q asks for of all tenants.
func (c *Console) AllTokensIssued(ctx context.Context, q UsageQuery, after UsageRow, n int) ([]UsageRow, error) {
	rows, err := c.Store.AllTokensIssued(ctx, q, after, n)
	return rows, worded(err)
}

// ActiveSubjects tells how many subjects of a tenant were active in each month from one to another.
func (c *Console) ActiveSubjects(ctx context.Context, id tenant.ID, from, to Month) ([]ActiveMonth, error) {
	if _, err := c.record(ctx, id); err != nil {
		return nil, err
	}
	ms, err := c.Store.ActiveSubjects(ctx, id, from, to)
	return ms, worded(err)
}

package admin

import (
	"context"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func (*memory) TokensIssued(context.Context, tenant.ID, UsageQuery, UsageRow, int) ([]UsageRow, error) {
	return nil, nil
}

func (*memory) AllTokensIssued(context.Context, UsageQuery, UsageRow, int) ([]UsageRow, error) {
	return nil, nil
}

func (*memory) ActiveSubjects(context.Context, tenant.ID, Month, Month) ([]ActiveMonth, error) {
	return nil, nil
}

func TestMonth(t *testing.T) {
	for _, day := range []time.Time{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)} {
		if got := MonthOf(day).Begin(); got.Year() != day.Year() || got.Month() != day.Month() || got.Day() != 1 {
			t.Errorf("the month of %v begins at %v", day, got)
		}
	}
}

package tenant_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
)

func TestWhatIsOutOfRangeIsToldItsRange(t *testing.T) {
	s := &tenant.Settings{}
	s.PAR.Lifetime, s.Tokens.RefreshTokenIdle = 9, -2
	want := []tenant.FieldError{
		{Pointer: "/par/lifetime", Message: "must be from 10 to 600, or 0 for the default"},
		{Pointer: "/tokens/refresh_token_idle", Message: "must be from 60 to 315360000, or -1 for none, or 0 for the default"},
	}
	if d := cmp.Diff(want, s.Check()); d != "" {
		t.Error("-want +got\n" + d)
	}
}

package admin

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/tenant"
)

// UserTOTP returns the TOTP of a user without its secret, or nil.
func (c *Console) UserTOTP(ctx context.Context, id tenant.ID, sub string) (*account.TOTP, error) {
	t, err := c.live(ctx, id, "users")
	if err != nil {
		return nil, err
	}
	return c.Accounts.TOTPOf(ctx, t, sub)
}

// EnrolUserTOTP gives a user a TOTP secret, which counts once it was confirmed.
func (c *Console) EnrolUserTOTP(ctx context.Context, id tenant.ID, sub string, by By) (account.Enrolment, error) {
	t, err := c.live(ctx, id, "users")
	if err != nil {
		return account.Enrolment{}, err
	}
	return c.Accounts.EnrolTOTP(ctx, t, sub, by.account())
}

// ConfirmUserTOTP makes the TOTP of a user count, on a code of it, and returns the user's recovery codes.
func (c *Console) ConfirmUserTOTP(ctx context.Context, id tenant.ID, sub, code string, by By) ([]string, error) {
	t, err := c.live(ctx, id, "users")
	if err != nil {
		return nil, err
	}
	codes, err := c.Accounts.ConfirmTOTP(ctx, t, sub, code, by.account())
	if errors.Is(err, account.ErrCode) {
		return nil, &Invalid{Fields: []tenant.FieldError{{Pointer: "/code", Message: "is not the code that the user's app shows now"}}}
	}
	return codes, err
}

// RemoveUserTOTP takes the TOTP of a user away, who then signs in with a password alone.
func (c *Console) RemoveUserTOTP(ctx context.Context, id tenant.ID, sub string, by By) error {
	t, err := c.live(ctx, id, "users")
	if err != nil {
		return err
	}
	return c.Accounts.RemoveTOTP(ctx, t, sub, by.account())
}

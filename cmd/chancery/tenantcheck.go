package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/chancery-id/chancery/tenant"
)

// tenantCheck explains a profile.
type tenantCheck struct {
	ID      string `arg:""`
	Profile string `placeholder:"NAME" help:"Check against this profile instead of the tenant's own: fapi2-security, fapi2-message-signing, fapi1-advanced or oauth21."`
	output
}

// errUnfulfilled makes the command's status say so.
var errUnfulfilled = errors.New("the profile is not fulfilled")

// Run says of each rule whether it is fulfilled, and why. Unless all are, it fails.
func (c *tenantCheck) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		r, err := a.console.CheckTenant(ctx, tenant.ID(c.ID), c.Profile)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, f := range r.Settings {
			rows = append(rows, []string{"settings", "no", c.ID, f.Pointer + " " + f.Message, ""})
		}
		for _, f := range r.Findings {
			rows = append(rows, []string{f.Rule, yesNo(f.Fulfilled), cmp.Or(f.ClientID, c.ID), f.Says + ": " + f.Why, strings.Join(f.Sections, ", ")})
		}
		if len(rows) == 0 {
			return c.done(r, fmt.Sprintf("tenant %s has no profile, nor has any of its clients", c.ID))
		}
		if err := c.table(r, []string{"RULE", "FULFILLED", "OF", "WHY", "SECTION"}, rows); err != nil {
			return err
		}
		if !r.Fulfilled {
			return errUnfulfilled
		}
		return nil
	})
}

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chancery-id/chancery/admin"
)

// errUnfulfilled makes the command's status say so.
var errUnfulfilled = errors.New("the profile is not fulfilled")

var findingColumns = []string{"RULE", "rule", "FULFILLED", "fulfilled", "OF", "of", "WHY", "why", "SECTION", "sections"}

// checkTenant says of each rule whether it is fulfilled, and why. Unless all are, it fails.
func checkTenant(c *called) error {
	answer, err := c.ask(c.op, nil)
	if err != nil {
		return err
	}
	var r admin.Report
	if err := json.Unmarshal(answer, &r); err != nil {
		return err
	}
	switch {
	case c.Output != "table":
		err = c.document(answer)
	case len(r.Settings) == 0 && len(r.Findings) == 0:
		return c.done(nil, fmt.Sprintf("tenant %s has no profile, nor has any of its clients", r.TenantID))
	default:
		err = c.findings(&r)
	}
	if err == nil && !r.Fulfilled {
		err = errUnfulfilled
	}
	return err
}

// findings writes the report as a table.
func (c *called) findings(r *admin.Report) error {
	var items []json.RawMessage
	add := func(rule string, fulfilled bool, of, why string, sections []string) {
		item, _ := json.Marshal(map[string]any{"rule": rule, "fulfilled": fulfilled, "of": of, "why": why, "sections": sections}) // it always can be
		items = append(items, item)
	}
	for _, f := range r.Settings {
		add("settings", false, string(r.TenantID), f.Pointer+" "+f.Message, nil)
	}
	for _, f := range r.Findings {
		add(f.Rule, f.Fulfilled, cmp.Or(f.ClientID, string(r.TenantID)), f.Says+": "+f.Why, f.Sections)
	}
	return c.output.list(items, findingColumns)
}

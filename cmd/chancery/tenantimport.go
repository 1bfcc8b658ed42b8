package main

import (
	"encoding/json"
	"fmt"

	"github.com/chancery-id/chancery/web/properties"
)

var importColumns = []string{"LINE", "line", "PROPERTY", "property", "KEY", "key", "OUTCOME", "outcome", "AS", "as", "VALUE", "value", "WHY", "why"}

// importTenant says of each line of a file what came of it. It fails where one is refused: then no tenant was made.
func importTenant(c *called) error {
	if c.text("properties") == "" {
		return usage("name the file with --properties")
	}
	file, err := document(c.text("properties"))
	if err != nil {
		return err
	}
	text, _ := json.Marshal(properties.Text(file)) // a text always can be
	c.set("properties", text)
	answer, err := c.ask(c.op, c.body)
	if err != nil {
		return err
	}
	var r struct {
		ID       string `json:"tenant_id"`
		Issuer   string
		Imported bool
		Refused  int
		Lines    []json.RawMessage
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return err
	}
	if c.Output != "table" {
		err = c.document(answer)
	} else if err = c.output.list(r.Lines, importColumns); err == nil && r.Imported {
		err = c.done(nil, fmt.Sprintf("tenant %s imported, with the issuer %s", r.ID, r.Issuer))
	}
	if err == nil && r.Refused > 0 {
		err = fmt.Errorf("%d lines are refused, and no tenant is made", r.Refused)
	}
	return err
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chancery-id/chancery/admin"
)

// eventFlags are those that say which events are meant, where they are called otherwise than the query.
var eventFlags = []flag{
	{name: "actor", to: "actor", placeholder: "ID", help: "Who did it: id of an API token."},
	{name: "client", to: "client_id", placeholder: "ID", help: "Client that it is about."},
	{name: "since", to: "since", placeholder: "WHEN", help: "At or after a time as in RFC 3339, or that long ago, such as 24h."},
	{name: "before", to: "before", placeholder: "WHEN", help: "Before a time as in RFC 3339, or that long ago."},
}

// auditRows show what happened.
var auditRows = []row{
	{words: "audit list", op: "listEvents", help: "List what happened, newest first.", list: "events", atMost: 50, flags: eventFlags,
		columns: []string{"AT", "at", "KIND", "kind", "ACTOR", "actor", "SUBJECT", "sub", "CLIENT", "client_id", "ADDRESS", "address", "DETAIL", "detail"}},
	{words: "audit export", op: "exportEvents", help: "Write all that happened, oldest first, as JSON lines.", flags: eventFlags},
	{words: "audit verify", op: "verifyEvents", run: verifyEvents,
		flags: []flag{{name: "head", to: "head", placeholder: "HASH", help: "Head of an earlier check, which must still be in the chain."}}},
}

// verifyEvents fails where the chain does not hold.
func verifyEvents(c *called) error {
	answer, err := c.ask(c.op, nil)
	if err != nil {
		return err
	}
	var v admin.Verdict
	if err := json.Unmarshal(answer, &v); err != nil {
		return err
	}
	var errs []error
	for _, p := range v.Problems {
		errs = append(errs, fmt.Errorf("seal %d: %s", p.Seal, p.What))
	}
	if !v.Intact {
		return errors.Join(errs...)
	}
	return c.show(answer)
}

package main

import (
	"encoding/json"
	"strconv"
)

// outboxRows look after what a tenant owes others.
var outboxRows = []row{
	{words: "outbox list", op: "listMessages", help: "List what is not delivered yet, or with --dead what was given up.", without: []string{"state"}, list: "messages", run: listMessages,
		flags:   []flag{{name: "dead", kind: aBool, help: "Dead letters."}},
		columns: []string{"ID", "id", "KIND", "kind", "TARGET", "target", "ATTEMPTS", "attempts", "RECORDED", "created_at", "CAUSE", "cause"}},
	{words: "outbox replay", op: "replayMessage", more: []string{"replayMessages"}, help: "Try a dead letter again, for another day, or all of them.", without: []string{"message"}, run: replayMessages,
		flags: []flag{messageFlag, {name: "target", kind: aText, help: "All dead letters for this target, as list shows it."}, {name: "all", kind: aBool, help: "All dead letters of the tenant."}}},
	{words: "outbox drop", op: "dropMessage", more: []string{"dropMessages"}, help: "Drop a message, given up or not, or all dead letters for a target.", without: []string{"message"}, run: dropMessages, yes: true,
		flags: []flag{messageFlag, {name: "target", kind: aText, help: "All dead letters for this target, as list shows it."}}},
}

var messageFlag = flag{name: "id", arg: true, optional: true, kind: aText, help: "Id of the message, as list shows it; after -- where it begins with a hyphen."}

func listMessages(c *called) error {
	if c.is("dead") {
		c.query.Set("state", "dead")
	}
	return c.listed(nil)
}

func replayMessages(c *called) error {
	id, target, all := c.text("id"), c.text("target"), c.is("all")
	if (id == "") == (target == "" && !all) || target != "" && all {
		return usage("give either an id, --target or --all")
	}
	if id != "" {
		c.path["message"] = id
		return c.counted(c.op, "replayed", " due again.")
	}
	if target != "" {
		c.query.Set("target", target)
	}
	return c.counted("replayMessages", "replayed", " due again.")
}

func dropMessages(c *called) error {
	id, target := c.text("id"), c.text("target")
	if (id == "") == (target == "") {
		return usage("give either an id or --target")
	}
	if id != "" {
		c.path["message"] = id
		if _, err := c.ask(c.op, nil); err != nil {
			return err
		}
		return c.done(map[string]int{"dropped": 1}, "1 dropped.")
	}
	c.query.Set("target", target)
	return c.counted("dropMessages", "dropped", " dropped.")
}

// counted performs an operation until it finds nothing more to change, and tells how much it has changed.
func (c *called) counted(op, member, sentence string) error {
	total := 0
	for {
		answer, err := c.ask(op, nil)
		if err != nil {
			return err
		}
		var n int
		if err := json.Unmarshal(memberAt(answer, member), &n); err != nil {
			return err
		}
		if total += n; n < mostPerPage {
			return c.done(map[string]int{member: total}, strconv.Itoa(total)+sentence)
		}
	}
}

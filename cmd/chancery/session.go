package main

// sessionRows look after subjects' sessions, and what they granted.
var sessionRows = []row{
	{words: "session list", op: "listSessions", help: "List open sessions.", list: "sessions",
		columns: []string{"ID", "id", "SUBJECT", "sub", "SIGNED IN", "auth_time", "LAST USED", "last_used_at", "EXPIRES", "expires_at", "CLIENTS", "clients"}},
	{words: "session show", op: "readSession"},
	{words: "session end", op: "endSession", more: []string{"endSessions"}, without: []string{"session"}, run: endSession, says: "ended",
		help: "End a session, or all of a subject: relying parties are told, and what hangs on it is revoked.",
		flags: []flag{{name: "id", arg: true, optional: true, kind: aText, help: "Id of the session, as list shows it; after -- where it begins with a hyphen."},
			{name: "sub", kind: aText, help: "End all sessions of this subject."}}},
	{words: "grant list", op: "listGrants", help: "List what a subject granted.", list: "grants",
		flags:   []flag{{name: "subject", to: "sub", arg: true}, {name: "client", to: "client_id", placeholder: "ID", help: "To that client alone."}},
		columns: []string{"ID", "id", "CLIENT", "client_id", "SCOPE", "scope", "OFFLINE", "offline", "CREATED", "created_at", "EXPIRES", "expires_at"}},
	{words: "grant revoke", op: "revokeGrant", more: []string{"withdrawGrants"}, without: []string{"grant"}, run: revokeGrant, says: "revoked",
		help: "Revoke a grant, or forget what a subject allowed and revoke what came of it.",
		flags: []flag{{name: "id", arg: true, optional: true, kind: aText, help: "Id of the grant, as list shows it; after -- where it begins with a hyphen."},
			{name: "sub", kind: aText, help: "Forget what this subject allowed, and revoke all that came of it."},
			{name: "client", kind: aText, placeholder: "ID", help: "With --sub: what it allowed that client alone."}}},
}

var errEither = usage("give either an id or --sub")

func endSession(c *called) error {
	id, sub := c.text("id"), c.text("sub")
	if (id == "") == (sub == "") {
		return errEither
	}
	return c.oneOrAll("session", id, "endSessions", sub, "")
}

func revokeGrant(c *called) error {
	id, sub, client := c.text("id"), c.text("sub"), c.text("client")
	if (id == "") == (sub == "") || id != "" && client != "" {
		return errEither
	}
	return c.oneOrAll("grant", id, "withdrawGrants", sub, client)
}

// oneOrAll performs the command's operation on the one of that id, or where there is none the other on all of a subject,
// and a client if one is named.
func (c *called) oneOrAll(what, id, all, sub, client string) error {
	if id != "" {
		c.path[what] = id
		if _, err := c.ask(c.op, nil); err != nil {
			return err
		}
		return c.done(map[string]string{c.says: id}, what+" "+id+" "+c.says)
	}
	c.query.Set("sub", sub)
	if client != "" {
		c.query.Set("client_id", client)
	}
	if _, err := c.ask(all, nil); err != nil {
		return err
	}
	return c.done(map[string]string{c.says + "_of": sub}, "all "+what+"s of "+sub+" "+c.says)
}

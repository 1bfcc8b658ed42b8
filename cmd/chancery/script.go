package main

import "encoding/json"

var scriptColumns = []string{"SCRIPT", "script", "VERSION", "version", "ACTIVE", "active_version", "PREVIOUS", "previous_version", "SIZE", "size", "SAVED", "created_at", "BY", "created_by", "NOTE", "note"}

var numberOfVersion = flag{name: "number", to: "version", help: "Number of the version; the newest by default."}

// scriptRows administer what tenants have written themselves.
var scriptRows = []row{
	{words: "script list", op: "listScripts", list: "scripts", columns: scriptColumns},
	{words: "script save", op: "saveScript", without: []string{"source"}, run: saveScript,
		flags: []flag{{name: "file", arg: true, kind: aText, help: "File with the JavaScript; - for the standard input."}}},
	{words: "script versions", op: "listScriptVersions", list: "scripts", columns: scriptColumns, atMost: 50},
	{words: "script show", op: "readScript"},
	{words: "script test", op: "tryScript", flags: []flag{numberOfVersion, {name: "event", to: "event", placeholder: "FILE", help: "JSON of the event; - for the standard input."}}},
	{words: "script activate", op: "activateScript", flags: []flag{numberOfVersion}},
	{words: "script rollback", op: "rollBackScript"},
	{words: "script deactivate", op: "deactivateScript", says: "script {script} deactivated"},
	{words: "script delete", op: "deleteScript", help: "Delete a script with all its versions.", yes: true, says: "script {script} deleted"},
	{words: "script log", op: "readScriptLog", list: "lines", atMost: 100,
		columns: []string{"AT", "at", "SCRIPT", "script", "VERSION", "version", "LEVEL", "level", "TEXT", "text"}},
	{words: "script secrets", op: "listScriptSecrets", list: "secrets", columns: []string{"SECRET", "secret", "SET", "updated_at"}},
	{words: "script set-secret", op: "putScriptSecret", help: "Set a secret that scripts may read, asked for or read from the standard input.", without: []string{"value"},
		run: func(c *called) error { return c.typed("value") }, says: "secret {secret} set"},
	{words: "script delete-secret", op: "deleteScriptSecret", says: "secret {secret} deleted"},
}

// saveScript sends what is in a file as the source.
func saveScript(c *called) error {
	b, err := document(c.text("file"))
	if err != nil {
		return err
	}
	source, err := json.Marshal(string(b))
	if err != nil {
		return err
	}
	c.set("source", source)
	return c.answer()
}

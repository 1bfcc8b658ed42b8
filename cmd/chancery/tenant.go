package main

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/chancery-id/chancery/tenant"
)

var tenantColumns = []string{"ID", "tenant_id", "SERVICE", "service_id", "ISSUER", "issuer", "ENABLED", "enabled", "CREATED", "created_at"}

// tenantRows administer tenants.
var tenantRows = []row{
	{words: "tenant create", op: "createTenant", help: "Create a tenant and show its secrets, this once.",
		flags: []flag{{name: "id", to: "tenant_id", arg: true},
			{name: "issuer", to: "issuer", placeholder: "URL", help: "Issuer, fixed for good; {public-url}/t/{id} by default."},
			{name: "template", to: "template", enum: ",starter", help: "starter: also a client and a user."},
			{name: "username", to: "username", placeholder: "NAME", help: "User name of a starter's user; alice by default."},
			{name: "settings", to: "settings", placeholder: "FILE", help: "JSON document of settings; - for the standard input."}},
		first: []string{"tenant_id", "service_id", "issuer", "api_token"}, flat: []string{"client", "user"}},
	{words: "tenant import", op: "importTenant", help: "Make a tenant of a file of properties of a server that it comes from, and say of each line what came of it; it fails where one is refused.",
		without: []string{"properties"}, run: importTenant,
		flags: []flag{{name: "properties", kind: aText, placeholder: "FILE", help: "The file; - for the standard input."},
			{name: "id", to: "tenant_id", placeholder: "ID", help: "Id of the tenant; made of the issuer by default."},
			{name: "dry-run", to: "dry_run", help: "Only say it, and make no tenant."}}},
	{words: "tenant list", op: "listTenants", help: "List tenants.", list: "tenants", columns: tenantColumns},
	{words: "tenant show", op: "readTenant", help: "Show a tenant with its settings."},
	{words: "tenant set", op: "changeTenant", help: "Change settings of a tenant.", without: []string{"enabled"},
		flags: []flag{{name: "setting=value", arg: true, optional: true, kind: aList, whole: true, help: "Such as name=Acme or tokens.access_token_lifetime=300; null gives the default back."},
			{name: "settings", to: "settings", placeholder: "FILE", help: "JSON merge patch; - for the standard input."}}, run: setTenant},
	{words: "tenant disable", op: "changeTenant", help: "Stop serving a tenant.", fixed: `{"enabled": false}`, says: "tenant {tenant} disabled"},
	{words: "tenant enable", op: "changeTenant", help: "Serve a disabled tenant again.", fixed: `{"enabled": true}`, says: "tenant {tenant} enabled"},
	{words: "tenant delete", op: "deleteTenant", help: "Delete a tenant and everything it has; for a while it can be restored.", yes: true,
		flags: []flag{{name: "now", to: "now", help: "Remove it at once, deleted before or not: nothing of it can be brought back."}}, says: "tenant {tenant} deleted"},
	{words: "tenant restore", op: "restoreTenant", help: "Bring back a tenant that was deleted.", says: "tenant {tenant} restored"},
	{words: "tenant check", op: "checkTenant", help: "Explain how far a tenant and its clients fulfil a profile; it fails where they do not.", run: checkTenant,
		flags: []flag{{name: "profile", to: "profile", placeholder: "NAME", help: "Check against this profile instead of the tenant's own: fapi2-security, fapi2-message-signing, fapi1-advanced or oauth21."}}},
	{words: "tenant hook-secret", op: "readHookSecret", help: "Show the secret that calls of a tenant's hook are signed with."},
}

// settingsRows administer settings as documents.
var settingsRows = []row{
	{words: "settings show", op: "readSettings", whole: true},
	{words: "settings replace", op: "putSettings", file: "settings", whole: true},
	{words: "settings change", op: "changeSettings", file: "a merge patch (RFC 7396)", whole: true},
	{words: "settings history", op: "listSettings", list: "changes", atMost: 50,
		columns: []string{"VERSION", "version", "AT", "at", "ACTOR", "actor", "ADDRESS", "address", "CHANGES", "changes"}},
	{words: "settings revision", op: "readRevision"},
	{words: "settings diff", op: "compareSettings", list: "changes", columns: []string{"SETTING", "pointer", "OLD", "old", "NEW", "new"}},
	{words: "settings rollback", op: "rollBackSettings", flags: []flag{{name: "to", to: "to", arg: true, placeholder: "VERSION", help: "The version to go back to, as history shows it."}}},
	{words: "settings schema", op: "settingsSchema", whole: true},
}

func setTenant(c *called) error {
	patch, changes := c.body["settings"], c.texts("setting=value")
	if (patch == nil) == (len(changes) == 0) {
		return usage("give either settings with their values, or --settings")
	}
	if patch == nil {
		doc, err := patchOf(changes)
		if err != nil {
			return err
		}
		c.set("settings", doc)
	}
	return c.answer()
}

// patchOf makes a JSON merge patch of changes such as tokens.id_token_lifetime=60. A value is JSON, except of a setting
// that is a text; null gives any its default.
func patchOf(changes []string) (json.RawMessage, error) {
	patch := map[string]any{}
	for _, ch := range changes {
		path, value, ok := strings.Cut(ch, "=")
		if !ok || path == "" {
			return nil, usage("%q is not of the form setting=value", ch)
		}
		at, names := patch, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			inner, ok := at[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				at[name] = inner
			}
			at = inner
		}
		var v any = value
		if json.Valid([]byte(value)) && (value == "null" || !isText(names)) {
			v = json.RawMessage(value)
		}
		at[names[len(names)-1]] = v
	}
	return json.Marshal(patch)
}

// isText reports whether the setting that names lead to is a text.
func isText(names []string) bool {
	t := reflect.TypeFor[tenant.Settings]()
	for _, name := range names {
		switch t.Kind() {
		case reflect.Map:
			t = t.Elem()
			continue
		case reflect.Struct:
		default:
			return false
		}
		i := 0
		for ; i < t.NumField(); i++ {
			if member, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); member == name {
				break
			}
		}
		if i == t.NumField() {
			return false
		}
		t = t.Field(i).Type
	}
	return t.Kind() == reflect.String
}

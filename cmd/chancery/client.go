package main

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/oauth"
)

var firstOfClient = []string{"client_id", "client_secret", "client_name", "enabled", "application_type", "token_endpoint_auth_method"}

// clientRows administer clients.
var clientRows = []row{
	{words: "client create", op: "createClient", help: "Register a client and show its secret, this once.", first: firstOfClient, run: createClient,
		flags: []flag{{name: "id", placeholder: "ID", kind: aText, help: "Client id; a random one by default."},
			{name: "name", kind: aText, help: "Name that users see."},
			{name: "redirect-uri", kind: aList, whole: true, help: "Where responses go; may be repeated."},
			{name: "grant", kind: aList, placeholder: "TYPE", help: "Grant type; may be repeated. authorization_code and refresh_token by default where there is a redirect URI, else client_credentials."},
			{name: "scope", kind: aText, help: "Scope values that it may ask for, in one text; any by default."},
			{name: "audience", kind: aList, whole: true, placeholder: "URI", help: "Resource whose tokens it may ask for or introspect; may be repeated."},
			{name: "public", kind: aBool, help: "It cannot keep a secret: no client authentication, and PKCE always."},
			{name: "native", kind: aBool, help: "A native application."},
			{name: "require-pkce", kind: aBool, help: "It must use PKCE."},
			{name: "metadata", kind: aText, placeholder: "FILE", help: "JSON document of client metadata, instead of the flags; - for the standard input."}}},
	{words: "client list", op: "listClients", help: "List clients.", list: "clients",
		columns: []string{"CLIENT ID", "client_id", "NAME", "client_name", "GRANT TYPES", "grant_types", "ENABLED", "enabled", "AUTHENTICATION", "token_endpoint_auth_method"}},
	{words: "client show", op: "readClient", help: "Show a client with its metadata.", first: firstOfClient},
	{words: "client replace", op: "putClient", file: "client metadata, as show has it", first: firstOfClient},
	{words: "client rotate-secret", op: "rotateClientSecret", help: "Give a client a new secret, shown this once; the old one works on for a while.", first: firstOfClient},
	{words: "client disable", op: "changeClient", help: "Disable a client.", fixed: `{"enabled": false}`, says: "client {client} disabled"},
	{words: "client enable", op: "changeClient", help: "Enable a disabled client again.", fixed: `{"enabled": true}`, says: "client {client} enabled"},
	{words: "client delete", op: "deleteClient", help: "Delete a client with its grants and all consent to it.", yes: true, says: "client {client} deleted"},
}

func createClient(c *called) error {
	doc, err := document(c.text("metadata"))
	if err != nil {
		return err
	}
	if doc == nil {
		if doc, err = json.Marshal(c.metadata()); err != nil {
			return err
		}
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil || members == nil {
		return usage("the metadata are no JSON object")
	}
	if id := c.text("id"); id != "" {
		members["preferred_client_id"], _ = json.Marshal(id) // a text always can be
	}
	answer, err := c.ask(c.op, members)
	if err != nil {
		return err
	}
	return c.show(answer)
}

// metadata are those that the flags say.
func (c *called) metadata() map[string]any {
	uris, grants := c.texts("redirect-uri"), c.texts("grant")
	switch {
	case len(grants) > 0:
	case len(uris) > 0:
		grants = []string{oauth.AuthorizationCode, oauth.RefreshToken}
	default:
		grants = []string{oauth.ClientCredentials}
	}
	m := map[string]any{"grant_types": grants}
	set := func(name string, value any, is bool) {
		if is {
			m[name] = value
		}
	}
	set("client_name", c.text("name"), c.text("name") != "")
	set("redirect_uris", uris, len(uris) > 0)
	set("scope", c.text("scope"), c.text("scope") != "")
	set("audience", c.texts("audience"), len(c.texts("audience")) > 0)
	set("token_endpoint_auth_method", oauth.AuthNone, c.is("public"))
	set("application_type", "native", c.is("native"))
	set("require_pkce", true, c.is("require-pkce"))
	return m
}

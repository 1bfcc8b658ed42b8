package connect2id

import (
	"encoding/json"
	"strings"

	"github.com/chancery-id/chancery/tenant"
)

// client is what a UI may show of a client, with a member more for each language: "name#es".
type client map[string]any

// shownMetadata are the members that may have languages, by their names in a prompt and in client metadata.
var shownMetadata = []struct {
	name, metadata string
	value          func(*tenant.Client) string
}{
	{"name", "client_name", func(c *tenant.Client) string { return c.Name }},
	{"uri", "client_uri", func(c *tenant.Client) string { return c.URI }},
	{"logo_uri", "logo_uri", func(c *tenant.Client) string { return c.LogoURI }},
	{"policy_uri", "policy_uri", func(c *tenant.Client) string { return c.PolicyURI }},
	{"tos_uri", "tos_uri", func(c *tenant.Client) string { return c.TOSURI }},
}

// client writes t as a prompt shows it.
func (c *call) client(t *tenant.Client) client {
	out := client{"client_id": t.ID, "application_type": "web"}
	if t.Native() {
		out["application_type"] = "native"
	}
	for _, m := range shownMetadata {
		if v := m.value(t); v != "" {
			out[m.name] = v
		}
		for name, v := range t.Localized {
			if tag, ok := strings.CutPrefix(name, m.metadata+"#"); ok && v != "" {
				out[m.name+"#"+tag] = v
			}
		}
	}
	if scope := strings.Fields(t.Scope); len(scope) > 0 {
		out["scope"] = scope
	}
	if c.version.extended {
		c.extend(t, out)
	}
	return out
}

// extend adds what version 3 says of a client.
func (c *call) extend(t *tenant.Client, out client) {
	out["client_type"] = "confidential"
	if t.Public() {
		out["client_type"] = "public"
	}
	if len(t.Contacts) > 0 {
		out["contacts"] = t.Contacts
	}
	for name, v := range map[string]string{"software_id": t.SoftwareID, "software_version": t.SoftwareVersion} {
		if v != "" {
			out[name] = v
		}
	}
	if len(t.Data) > 0 {
		out["data"] = json.RawMessage(t.Data)
	}
}

package main

import "slices"

// rows are all commands over the administration. A route without one fails a test.
var rows = slices.Concat(tenantRows, settingsRows, scopeRows, aliasRows, userRows, clientRows, keyRows, tokenRows, initialTokenRows, sessionRows, accessRows, auditRows, scriptRows, usageRows, webhookRows, outboxRows, bootstrapRows)

// groups say what the commands are about that begin with a word.
var groups = map[string]string{
	"tenant":          "Tenants.",
	"settings":        "Settings of a tenant, as one document.",
	"scope":           "Scope values of a tenant.",
	"alias":           "Aliases of a tenant: further issuers, such as the domain that it had before.",
	"user":            "Users that a tenant keeps with us.",
	"client":          "Clients of a tenant.",
	"key":             "Signing keys of a tenant.",
	"token":           "API tokens of a tenant, or of the platform.",
	"initial-token":   "Initial access tokens, which let their holders register clients.",
	"session":         "Sessions of subjects.",
	"grant":           "What subjects granted to clients.",
	"role":            "Roles of a tenant, or of the platform.",
	"administrator":   "Who has roles at a tenant, or at the platform.",
	"service-account": "Service accounts, whose tokens share their roles.",
	"admin":           "Administrators of the platform.",
	"outbox":          "What a tenant owes others: logout tokens, notifications, webhooks.",
	"webhook":         "URLs that are told of events of a tenant.",
	"usage":           "How much a tenant is used: tokens issued, and active users.",
	"script":          "Scripts of a tenant, which decide how its users are authenticated.",
	"audit":           "What happened at a tenant, or at the platform.",
}

// uncommanded are the operations that no command performs, and why.
var uncommanded = map[string]string{}

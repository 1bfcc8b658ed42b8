package main

var eventsOfWebhook = flag{name: "event", to: "events", help: "Kind of event that it is told of, such as user_created, or *; may be repeated."}

// webhookRows administer what tells others of events.
var webhookRows = []row{
	{words: "webhook create", op: "createWebhook", first: []string{"secret"}, flags: []flag{{name: "url", to: "url", arg: true, help: "Where messages go."}, eventsOfWebhook}},
	{words: "webhook list", op: "listWebhooks", list: "webhooks",
		columns: []string{"ID", "id", "URL", "url", "EVENTS", "events", "ENABLED", "enabled", "SUSPENDED", "suspended_at", "DESCRIPTION", "description"}},
	{words: "webhook show", op: "readWebhook"},
	{words: "webhook change", op: "changeWebhook", without: []string{"enabled"}, flags: []flag{eventsOfWebhook}},
	{words: "webhook disable", op: "changeWebhook", help: "Tell a webhook of nothing any more, and give up what waits.", fixed: `{"enabled": false}`, says: "webhook {webhook} disabled"},
	{words: "webhook enable", op: "changeWebhook", help: "Tell a webhook again that was disabled or suspended.", fixed: `{"enabled": true}`, says: "webhook {webhook} enabled"},
	{words: "webhook delete", op: "deleteWebhook", says: "webhook {webhook} deleted"},
	{words: "webhook rotate-secret", op: "rotateWebhookSecret", first: []string{"secret"}},
	{words: "webhook test", op: "tryWebhook"},
	{words: "webhook messages", op: "listWebhookMessages", list: "messages",
		columns: []string{"ID", "id", "KIND", "kind", "ATTEMPTS", "attempts", "RECORDED", "created_at", "UNTIL", "ends_at", "CAUSE", "cause"}},
	{words: "webhook replay", op: "replayWebhook"},
	{words: "webhook replay-message", op: "replayWebhookMessage"},
	{words: "webhook drop-messages", op: "dropWebhookMessages"},
}

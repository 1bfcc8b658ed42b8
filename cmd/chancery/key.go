package main

var keyColumns = []string{"KID", "kid", "ALG", "alg", "STATE", "state", "PUBLISHED", "created_at", "SIGNS FROM", "active_at", "UNTIL", "retired_at", "GONE", "gone_at"}

// keyRows administer signing keys.
var keyRows = []row{
	{words: "key list", op: "listKeys", list: "keys", columns: keyColumns},
	{words: "key rotate", op: "rotateKeys", help: "Publish new keys now, to sign in ten minutes.", list: "keys", columns: keyColumns,
		flags: []flag{{name: "alg", to: "alg", help: "RS256, PS256, ES256, ES384 or EdDSA; each that the tenant has by default."}}},
	{words: "key revoke", op: "revokeKey", list: "keys", columns: keyColumns},
	{words: "key preview", op: "previewKeys"},
}

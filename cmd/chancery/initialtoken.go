package main

// initialTokenRows administer initial access tokens.
var initialTokenRows = []row{
	{words: "initial-token create", op: "createInitialToken", help: "Create a token that lets its holder register clients, and show it, this once.", first: []string{"token"},
		flags: []flag{{name: "label", to: "label", help: "To tell it from others."},
			{name: "scope", to: "scope", help: "Scope values that its clients may register, in one text; those that the tenant advertises by default."},
			{name: "grant", to: "grant_types", placeholder: "TYPE", help: "Grant type that its clients may register beside authorization_code and refresh_token; may be repeated."},
			{name: "uses", to: "uses", preset: "1", help: "How many clients it may register."},
			{name: "expires", to: "expires_at", preset: "24h", placeholder: "WHEN", help: "A time as in RFC 3339, or for how long it lives."}}},
	{words: "initial-token list", op: "listInitialTokens", list: "initial_tokens",
		columns: []string{"ID", "id", "LABEL", "label", "SCOPE", "scope", "USES LEFT", "uses_left", "CREATED", "created_at", "EXPIRES", "expires_at"}},
	{words: "initial-token revoke", op: "revokeInitialToken", help: "Revoke an initial access token; clients registered with it stay.", says: "initial access token {token} revoked"},
}

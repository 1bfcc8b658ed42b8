package audit

// Kinds are all kinds of event, in the order of their constants.
func Kinds() []Kind {
	return []Kind{
		LoggedIn, LoginFailed, Consented, Denied, GrantIssued, GrantRevoked, ConsentForgotten, TokenExchanged, CodeReplayed, RefreshReplayed, SessionEnded,
		SessionSwitched, SessionChanged, TokenChanged, ClientCreated, ClientUpdated, ClientDeleted, ClientSecretRotated, TenantCreated, TenantUpdated,
		TenantDeleted, TenantRestored, TenantPurged, AliasAdded, AliasRemoved, KeysRotated, KeyRevoked, TokenCreated, TokenRevoked, InitialTokenCreated,
		InitialTokenRevoked, ClientExpired, UserCreated, UsersImported, UserUpdated, UserDeleted, RoleChanged, RolesGranted, AccountCreated,
		AccountUpdated, AccountDeleted, WebhookCreated, WebhookUpdated, WebhookDeleted, WebhookRotated, WebhookSuspended, RecoveryCodeUsed,
		OutboxReplayed, OutboxDropped, ScriptChanged, ScriptSecretChanged, AdminRefused,
	}
}

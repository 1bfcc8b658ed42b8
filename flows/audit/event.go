// Package audit holds the words of what happened. Every store method that changes something security
// depends on writes an Event in the same transaction.
package audit

import "time"

// Kind names what happened.
type Kind string

// The kinds of event.
const (
	LoggedIn            Kind = "login"
	LoginFailed         Kind = "login_failed"
	Consented           Kind = "consent"
	Denied              Kind = "denied"
	GrantIssued         Kind = "grant"
	GrantRevoked        Kind = "grant_revoked"
	ConsentForgotten    Kind = "consent_forgotten"
	TokenExchanged      Kind = "token_exchanged"
	CodeReplayed        Kind = "code_replayed"
	RefreshReplayed     Kind = "refresh_replayed"
	SessionEnded        Kind = "session_ended"
	SessionSwitched     Kind = "session_switched"
	SessionChanged      Kind = "session_changed"
	TokenChanged        Kind = "token_changed"
	ClientCreated       Kind = "client_created"
	ClientUpdated       Kind = "client_updated"
	ClientDeleted       Kind = "client_deleted"
	ClientSecretRotated Kind = "client_secret_rotated"
	TenantCreated       Kind = "tenant_created"
	TenantUpdated       Kind = "tenant_updated"
	TenantDeleted       Kind = "tenant_deleted"
	TenantRestored      Kind = "tenant_restored"
	TenantPurged        Kind = "tenant_purged"
	AliasAdded          Kind = "alias_added"
	AliasRemoved        Kind = "alias_removed"
	KeysRotated         Kind = "keys_rotated"
	KeyRevoked          Kind = "key_revoked"
	TokenCreated        Kind = "api_token_created"
	TokenRevoked        Kind = "api_token_revoked"
	InitialTokenCreated Kind = "initial_token_created"
	InitialTokenRevoked Kind = "initial_token_revoked"
	ClientExpired       Kind = "client_expired"
	UserCreated         Kind = "user_created"
	UsersImported       Kind = "users_imported"
	UserUpdated         Kind = "user_updated"
	UserDeleted         Kind = "user_deleted"
	RecoveryCodeUsed    Kind = "recovery_code_used"
	RoleChanged         Kind = "role_changed"
	RolesGranted        Kind = "roles_granted"
	AccountCreated      Kind = "service_account_created"
	AccountUpdated      Kind = "service_account_updated"
	AccountDeleted      Kind = "service_account_deleted"
	WebhookCreated      Kind = "webhook_created"
	WebhookUpdated      Kind = "webhook_updated"
	WebhookDeleted      Kind = "webhook_deleted"
	WebhookRotated      Kind = "webhook_secret_rotated"
	WebhookSuspended    Kind = "webhook_suspended" // too much was not delivered
	OutboxReplayed      Kind = "outbox_replayed"
	OutboxDropped       Kind = "outbox_dropped"
	ScriptChanged       Kind = "script_changed"
	ScriptSecretChanged Kind = "script_secret_changed"
	AdminRefused        Kind = "admin_refused" // an administrative act that its caller may not do
)

// Event is one thing that happened at a tenant. It never holds a secret, code, token or password.
type Event struct {
	At       time.Time
	Kind     Kind
	Actor    string // who did it: an API token's id, an administrator, or empty for the subject itself
	Subject  string
	ClientID string
	Session  string // session id, not the handle that opens it
	Grant    string
	Address  string            // of the caller
	Detail   map[string]string // short, constant keys
	Once     *Once             // nil: the change may be made any number of times
}

// Once is the idempotency key of a change, which is recorded with it: another of the same key is not made. Both hashes are
// the caller's.
type Once struct {
	Key, Request []byte
	ExpiresAt    time.Time
}

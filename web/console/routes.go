package console

import (
	"net/http"
	"slices"

	"github.com/chancery-id/chancery/admin"
)

// routes are all of the administration, below adminPath.
var routes = []route{
	{method: http.MethodGet, path: "/me", name: "whoami", summary: "Who calls, and what they may", status: http.StatusOK, operation: look((*Door).me)},
	{method: http.MethodGet, path: "/openapi.json", name: "describe", summary: "This description (OpenAPI 3.1)", status: http.StatusOK, operation: look((*Door).description)},

	{method: http.MethodPost, path: "/tenants", permission: admin.CreateTenants, name: "createTenant", status: http.StatusCreated,
		summary: "Create a tenant, from a template with all that is needed to start", errors: []int{http.StatusConflict}, operation: op((*Door).createTenant)},
	{method: http.MethodGet, path: "/tenants", permission: admin.ListTenants, name: "listTenants", status: http.StatusOK,
		summary: "List tenants, by id", query: append([]parameter{{name: "q", description: "Part of the id, the issuer or the name, in any case"},
			{name: "enabled", description: "Only those that are enabled, or are not", values: []string{"true", "false"}},
			{name: "deleted", description: "true: those that were deleted and can be restored, instead", values: []string{"true", "false"}}}, paging...), operation: look((*Door).listTenants)},
	{method: http.MethodGet, path: "/tenants/:id", permission: admin.ReadTenant, name: "readTenant", status: http.StatusOK,
		summary: "Show a tenant with its settings", tagged: true, operation: look((*Door).readTenant)},
	{method: http.MethodPatch, path: "/tenants/:id", permission: admin.WriteTenant, name: "changeTenant", status: http.StatusOK,
		summary: "Change settings of a tenant, or disable or enable it", tagged: true, operation: op((*Door).patchTenant)},
	{method: http.MethodDelete, path: "/tenants/:id", permission: admin.DeleteTenants, name: "deleteTenant", status: http.StatusNoContent,
		summary:   "Delete a tenant with everything it has; for a while it can be restored",
		query:     []parameter{{name: "now", description: "true: remove it at once, deleted before or not; nothing can be brought back", values: []string{"true", "false"}}},
		operation: look((*Door).deleteTenant)},
	{method: http.MethodPost, path: "/tenants/:id/restore", permission: admin.DeleteTenants, name: "restoreTenant", status: http.StatusOK,
		summary: "Bring back a tenant that was deleted", tagged: true, operation: look((*Door).restoreTenant)},

	{method: http.MethodGet, path: "/tenants/:id/settings", permission: admin.ReadTenant, name: "readSettings", status: http.StatusOK,
		summary: "Show the settings of a tenant", tagged: true, operation: look((*Door).readSettings)},
	{method: http.MethodPut, path: "/tenants/:id/settings", permission: admin.WriteTenant, name: "putSettings", status: http.StatusOK,
		summary: "Replace the settings of a tenant", tagged: true, operation: op((*Door).putSettings)},
	{method: http.MethodPatch, path: "/tenants/:id/settings", permission: admin.WriteTenant, name: "changeSettings", status: http.StatusOK,
		summary: "Change some settings of a tenant", tagged: true, operation: op((*Door).patchSettings)},
	{method: http.MethodGet, path: "/tenants/:id/settings/history", permission: admin.ReadTenant, name: "listSettings", status: http.StatusOK,
		summary: "List the changes of settings, newest first, each with what it changed", query: paging, operation: look((*Door).listSettings)},
	{method: http.MethodGet, path: "/tenants/:id/settings/history/:version", permission: admin.ReadTenant, name: "readRevision", status: http.StatusOK,
		summary: "Show what the settings were after a change", operation: look((*Door).readRevision)},
	{method: http.MethodGet, path: "/tenants/:id/settings/diff", permission: admin.ReadTenant, name: "compareSettings", status: http.StatusOK,
		summary:   "Show how the settings of one version differ from those of another",
		query:     []parameter{{name: "from", description: "A version; the settings as they are now where left out"}, {name: "to", description: "A version; the settings as they are now where left out"}},
		operation: look((*Door).compareSettings)},
	{method: http.MethodPost, path: "/tenants/:id/settings/rollback", permission: admin.WriteTenant, name: "rollBackSettings", status: http.StatusOK,
		summary: "Make the settings what they were at a version; it is a change like any other", tagged: true, conditional: true, operation: op((*Door).rollBackSettings)},
	{method: http.MethodGet, path: "/schemas/settings", name: "settingsSchema", status: http.StatusOK,
		summary: "The JSON Schema of settings", operation: look((*Door).settingsSchema)},

	{method: http.MethodGet, path: "/tenants/:id/check", permission: admin.ReadTenant, name: "checkTenant", status: http.StatusOK,
		summary: "Explain how far a tenant and its clients fulfil a profile", query: []parameter{{name: "profile", description: "Check against this profile instead of the tenant's own, such as fapi2-security"}},
		operation: look((*Door).checkTenant)},

	{method: http.MethodGet, path: "/tenants/:id/hooks/:hook/secret", permission: admin.WriteTenant, name: "readHookSecret", status: http.StatusOK,
		summary: "Show the secret that calls of a hook are signed with", operation: look((*Door).readHookSecret)},

	{method: http.MethodPost, path: "/tenants/:id/tokens", permission: admin.WriteTokens, name: "createToken", status: http.StatusCreated,
		summary: "Create an API token; it is shown this once", operation: op((*Door).createToken)},
	{method: http.MethodGet, path: "/tenants/:id/tokens", permission: admin.ReadTokens, name: "listTokens", status: http.StatusOK,
		summary: "List API tokens", operation: look((*Door).listTokens)},
	{method: http.MethodDelete, path: "/tenants/:id/tokens/:token", permission: admin.WriteTokens, name: "revokeToken", status: http.StatusNoContent,
		summary: "Revoke an API token", operation: look((*Door).revokeToken)},

	{method: http.MethodPost, path: "/tenants/:id/clients", permission: admin.WriteClients, name: "createClient", status: http.StatusCreated,
		summary: "Register a client; its secret is shown this once", tagged: true, operation: op((*Door).createClient)},
	{method: http.MethodGet, path: "/tenants/:id/clients", permission: admin.ReadClients, name: "listClients", status: http.StatusOK,
		summary: "List clients, by id", query: paging, operation: look((*Door).listClients)},
	{method: http.MethodGet, path: "/tenants/:id/clients/:client", permission: admin.ReadClients, name: "readClient", status: http.StatusOK,
		summary: "Show a client with its metadata", tagged: true, operation: look((*Door).readClient)},
	{method: http.MethodPut, path: "/tenants/:id/clients/:client", permission: admin.WriteClients, name: "putClient", status: http.StatusOK,
		summary: "Replace the metadata of a client", tagged: true, operation: op((*Door).putClient)},
	{method: http.MethodPatch, path: "/tenants/:id/clients/:client", permission: admin.WriteClients, name: "changeClient", status: http.StatusOK,
		summary: "Disable or enable a client", tagged: true, operation: op((*Door).patchClient)},
	{method: http.MethodDelete, path: "/tenants/:id/clients/:client", permission: admin.WriteClients, name: "deleteClient", status: http.StatusNoContent,
		summary: "Delete a client with its grants", operation: look((*Door).deleteClient)},
	{method: http.MethodPost, path: "/tenants/:id/clients/:client/secret", permission: admin.WriteClients, name: "rotateClientSecret", status: http.StatusOK,
		summary: "Give a client a new secret, shown this once; the old one lives on for a while", tagged: true, operation: look((*Door).rotateClientSecret)},

	{method: http.MethodPost, path: "/tenants/:id/users", permission: admin.WriteUsers, name: "createUser", status: http.StatusCreated,
		summary: "Create a user", operation: op((*Door).createUser)},
	{method: http.MethodPost, path: "/tenants/:id/users/import", permission: admin.WriteUsers, name: "importUsers", status: http.StatusCreated,
		summary: "Import users with the hashes of their passwords, all of them or none", operation: op((*Door).importUsers)},
	{method: http.MethodGet, path: "/tenants/:id/users", permission: admin.ReadUsers, name: "listUsers", status: http.StatusOK,
		summary: "List users, by subject", query: append([]parameter{{name: "username", description: "The one of that user name alone"}}, paging...), operation: look((*Door).listUsers)},
	{method: http.MethodGet, path: "/tenants/:id/users/:sub", permission: admin.ReadUsers, name: "readUser", status: http.StatusOK,
		summary: "Show a user", operation: look((*Door).readUser)},
	{method: http.MethodPatch, path: "/tenants/:id/users/:sub", permission: admin.WriteUsers, name: "changeUser", status: http.StatusOK,
		summary: "Change a user, or lock or unlock it", operation: op((*Door).patchUser)},
	{method: http.MethodPut, path: "/tenants/:id/users/:sub/password", permission: admin.WriteUsers, name: "putPassword", status: http.StatusNoContent,
		summary: "Reset the password of a user", operation: op((*Door).putPassword)},
	{method: http.MethodPut, path: "/tenants/:id/users/:sub/user-code", permission: admin.WriteUsers, name: "putUserCode", status: http.StatusNoContent,
		summary: "Set the user code of a user, or take it away", operation: op((*Door).putUserCode)},
	{method: http.MethodDelete, path: "/tenants/:id/users/:sub", permission: admin.WriteUsers, name: "deleteUser", status: http.StatusNoContent,
		summary: "Delete a user with sessions, grants and consent", operation: look((*Door).deleteUser)},

	{method: http.MethodPost, path: "/tenants/:id/initial-tokens", permission: admin.WriteClients, name: "createInitialToken", status: http.StatusCreated,
		summary: "Create an initial access token for client registration; it is shown this once", operation: op((*Door).createInitialToken)},
	{method: http.MethodGet, path: "/tenants/:id/initial-tokens", permission: admin.ReadClients, name: "listInitialTokens", status: http.StatusOK,
		summary: "List initial access tokens", operation: look((*Door).listInitialTokens)},
	{method: http.MethodDelete, path: "/tenants/:id/initial-tokens/:token", permission: admin.WriteClients, name: "revokeInitialToken", status: http.StatusNoContent,
		summary: "Revoke an initial access token", operation: look((*Door).revokeInitialToken)},

	{method: http.MethodPost, path: "/tenants/:id/keys", permission: admin.WriteKeys, name: "rotateKeys", status: http.StatusOK,
		summary: "Publish new signing keys, to sign in ten minutes", optional: true, operation: op((*Door).rotateKeys)},
	{method: http.MethodGet, path: "/tenants/:id/keys", permission: admin.ReadKeys, name: "listKeys", status: http.StatusOK,
		summary: "List signing keys with their schedule", operation: look((*Door).listKeys)},
	{method: http.MethodGet, path: "/tenants/:id/jwks", permission: admin.ReadKeys, name: "previewKeys", status: http.StatusOK,
		summary: "Show the JWK set as the public sees it, now or at a time to come, with the state of each key",
		query:   []parameter{{name: "at", description: "A time as in RFC 3339; now where left out"}}, operation: look((*Door).previewKeys)},
	{method: http.MethodDelete, path: "/tenants/:id/keys/:kid", permission: admin.WriteKeys, name: "revokeKey", status: http.StatusOK,
		summary: "Take a compromised key out of use at once, and with it the tokens it signed", operation: look((*Door).revokeKey)},

	{method: http.MethodGet, path: "/tenants/:id/roles", permission: admin.ReadAccess, name: "listRoles", status: http.StatusOK,
		summary: "List roles, built in and the tenant's own", operation: look((*Door).listRoles)},
	{method: http.MethodGet, path: "/tenants/:id/roles/:role", permission: admin.ReadAccess, name: "readRole", status: http.StatusOK,
		summary: "Show a role", operation: look((*Door).readRole)},
	{method: http.MethodPut, path: "/tenants/:id/roles/:role", permission: admin.WriteAccess, name: "putRole", status: http.StatusOK,
		summary: "Make a role of the tenant's own, or change it", errors: []int{http.StatusConflict}, operation: op((*Door).putRole)},
	{method: http.MethodDelete, path: "/tenants/:id/roles/:role", permission: admin.WriteAccess, name: "deleteRole", status: http.StatusNoContent,
		summary: "Remove a role of the tenant's own, also from those who have it", errors: []int{http.StatusBadRequest, http.StatusConflict}, operation: look((*Door).deleteRole)},

	{method: http.MethodGet, path: "/tenants/:id/administrators", permission: admin.ReadAccess, name: "listAdministrators", status: http.StatusOK,
		summary: "List who has roles at the tenant", operation: look((*Door).listAdministrators)},
	{method: http.MethodGet, path: "/tenants/:id/administrators/:principal", permission: admin.ReadAccess, name: "readAdministrator", status: http.StatusOK,
		summary: "Show the roles of a principal", operation: look((*Door).readAdministrator)},
	{method: http.MethodPut, path: "/tenants/:id/administrators/:principal", permission: admin.WriteAccess, name: "putAdministrator", status: http.StatusOK,
		summary: "Set the roles of a principal", errors: []int{http.StatusConflict}, operation: op((*Door).putAdministrator)},
	{method: http.MethodDelete, path: "/tenants/:id/administrators/:principal", permission: admin.WriteAccess, name: "deleteAdministrator", status: http.StatusNoContent,
		summary: "Take all roles from a principal", errors: []int{http.StatusBadRequest, http.StatusConflict}, operation: look((*Door).deleteAdministrator)},

	{method: http.MethodPost, path: "/tenants/:id/service-accounts", permission: admin.WriteAccess, name: "createServiceAccount", status: http.StatusCreated,
		summary: "Create a service account", errors: []int{http.StatusConflict}, operation: op((*Door).createServiceAccount)},
	{method: http.MethodGet, path: "/tenants/:id/service-accounts", permission: admin.ReadAccess, name: "listServiceAccounts", status: http.StatusOK,
		summary: "List service accounts", operation: look((*Door).listServiceAccounts)},
	{method: http.MethodGet, path: "/tenants/:id/service-accounts/:account", permission: admin.ReadAccess, name: "readServiceAccount", status: http.StatusOK,
		summary: "Show a service account", operation: look((*Door).readServiceAccount)},
	{method: http.MethodPatch, path: "/tenants/:id/service-accounts/:account", permission: admin.WriteAccess, name: "changeServiceAccount", status: http.StatusOK,
		summary: "Rename, disable or enable a service account", errors: []int{http.StatusConflict}, operation: op((*Door).patchServiceAccount)},
	{method: http.MethodDelete, path: "/tenants/:id/service-accounts/:account", permission: admin.WriteAccess, name: "deleteServiceAccount", status: http.StatusNoContent,
		summary: "Delete a service account with its tokens", errors: []int{http.StatusConflict}, operation: look((*Door).deleteServiceAccount)},

	{method: http.MethodGet, path: "/tenants/:id/sessions", permission: admin.ReadSessions, name: "listSessions", status: http.StatusOK,
		summary: "List open sessions, a subject's or all", query: append([]parameter{subParameter}, paging...), operation: look((*Door).listSessions)},
	{method: http.MethodDelete, path: "/tenants/:id/sessions", permission: admin.WriteSessions, name: "endSessions", status: http.StatusNoContent,
		summary: "End all sessions of a subject", query: []parameter{subParameter}, errors: []int{http.StatusBadRequest}, operation: look((*Door).endSessions)},
	{method: http.MethodGet, path: "/tenants/:id/sessions/:session", permission: admin.ReadSessions, name: "readSession", status: http.StatusOK,
		summary: "Show an open session", operation: look((*Door).readSession)},
	{method: http.MethodDelete, path: "/tenants/:id/sessions/:session", permission: admin.WriteSessions, name: "endSession", status: http.StatusNoContent,
		summary: "End a session: relying parties are told, and what hangs on it is revoked", operation: look((*Door).endSession)},

	{method: http.MethodGet, path: "/tenants/:id/grants", permission: admin.ReadSessions, name: "listGrants", status: http.StatusOK,
		summary: "List what a subject granted", query: append([]parameter{subParameter, clientParameter}, paging...), operation: look((*Door).listGrants)},
	{method: http.MethodDelete, path: "/tenants/:id/grants", permission: admin.WriteSessions, name: "withdrawGrants", status: http.StatusNoContent,
		summary: "Forget what a subject allowed a client, or any, and revoke what came of it", query: []parameter{subParameter, clientParameter}, errors: []int{http.StatusBadRequest},
		operation: look((*Door).withdrawGrants)},
	{method: http.MethodDelete, path: "/tenants/:id/grants/:grant", permission: admin.WriteSessions, name: "revokeGrant", status: http.StatusNoContent,
		summary: "Revoke a grant with all that came of it", operation: look((*Door).revokeGrant)},

	{method: http.MethodGet, path: "/tenants/:id/events", permission: admin.ReadAudit, name: "listEvents", status: http.StatusOK,
		summary: "List what happened, newest first", query: slices.Concat(eventFilter, paging), operation: look((*Door).listEvents)},
	{method: http.MethodGet, path: "/tenants/:id/events/export", permission: admin.ReadAudit, name: "exportEvents", status: http.StatusOK,
		summary: "Export what happened, oldest first, one event per line", query: append(slices.Clone(eventFilter), cursorParameter), operation: look((*Door).exportEvents)},
	{method: http.MethodGet, path: "/tenants/:id/events/verify", permission: admin.ReadAudit, name: "verifyEvents", status: http.StatusOK,
		summary: "Check that nothing that happened was changed or removed", query: []parameter{{name: "head", description: "Head of an earlier check, which must still be in the chain"}},
		operation: look((*Door).verifyEvents)},
}

var (
	limitParameter  = parameter{name: "limit", description: "How many entries at most, 100 by default and 1000 at most", number: true}
	cursorParameter = parameter{name: "cursor", description: "Where to go on, as next_cursor of the page before says"}
	paging          = []parameter{limitParameter, cursorParameter}
	subParameter    = parameter{name: "sub", description: "Whose they are"}
	clientParameter = parameter{name: "client_id", description: "To whom"}
)

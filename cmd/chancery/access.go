package main

// accessRows administer who may administer.
var accessRows = []row{
	{words: "whoami", op: "whoami"},
	{words: "openapi", op: "describe", whole: true, help: "Show the description of the administration (OpenAPI 3.1)."},
	{words: "role list", op: "listRoles", list: "roles", columns: []string{"NAME", "name", "BUILT IN", "built_in", "PERMISSIONS", "permissions", "DESCRIPTION", "description"}},
	{words: "role show", op: "readRole"},
	{words: "role put", op: "putRole", flags: []flag{{name: "permission", to: "permissions", help: "Such as users:read; may be repeated."}, {name: "description", to: "description", help: "What it is for."}}},
	{words: "role delete", op: "deleteRole", says: "role {role} deleted"},
	{words: "administrator list", op: "listAdministrators", list: "administrators", columns: []string{"PRINCIPAL", "principal", "ROLES", "roles"}},
	{words: "administrator show", op: "readAdministrator"},
	{words: "administrator set", op: "putAdministrator", flags: []flag{{name: "role", to: "roles", help: "Role that it has from now on; may be repeated."}}},
	{words: "administrator remove", op: "deleteAdministrator", says: "{principal} has no roles any more"},
	{words: "service-account create", op: "createServiceAccount", flags: []flag{{name: "name", to: "name", arg: true, help: "To tell it from others."}, {name: "role", to: "roles", help: "Role that it has; may be repeated."}}},
	{words: "service-account list", op: "listServiceAccounts", list: "service_accounts",
		columns: []string{"ID", "id", "NAME", "name", "ROLES", "roles", "DISABLED", "disabled", "CREATED", "created_at"}},
	{words: "service-account show", op: "readServiceAccount"},
	{words: "service-account change", op: "changeServiceAccount"},
	{words: "service-account delete", op: "deleteServiceAccount", says: "service account {account} deleted"},
}

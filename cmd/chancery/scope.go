package main

var scopeColumns = []string{"NAME", "name", "DESCRIPTION", "description", "CLAIMS", "claims", "DEFAULT", "default", "ADVERTISED", "advertised"}

// scopeRows administer the scope values of a tenant.
var scopeRows = []row{
	{words: "scope list", op: "listScopes", list: "scopes", columns: scopeColumns},
	{words: "scope show", op: "readScope"},
	{words: "scope set", op: "putScope", file: "what is to be said of it"},
	{words: "scope delete", op: "deleteScope", flags: []flag{{name: "force", to: "force", help: "Although clients have registered it."}}, says: "scope {scope} deleted"},
}

package main

// aliasRows administer the further issuers of a tenant.
var aliasRows = []row{
	{words: "alias list", op: "listAliases", list: "aliases", columns: []string{"ID", "id", "ISSUER", "issuer", "CREATED", "created_at"}},
	{words: "alias add", op: "addAlias", flags: []flag{{name: "issuer", to: "issuer", arg: true, placeholder: "URL", help: "The issuer, as clients will know it."}}},
	{words: "alias remove", op: "removeAlias", says: "alias {alias} removed"},
}

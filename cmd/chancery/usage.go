package main

// usageRows tell how much a tenant, or all together, is used.
var usageRows = []row{
	{words: "usage tokens", op: "listUsage", list: "usage", columns: []string{"DAY", "day", "CLIENT", "client_id", "KIND", "kind", "TOKENS", "tokens"}},
	{words: "usage users", op: "listActiveUsers", list: "months", columns: []string{"MONTH", "month", "USERS", "users", "DAYS", "days"}},
	{words: "usage all", op: "listAllUsage", list: "usage", columns: []string{"DAY", "day", "TENANT", "tenant_id", "KIND", "kind", "TOKENS", "tokens"}},
}

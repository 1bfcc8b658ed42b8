package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestBudgetRegistration counts what the client registry sends to PostgreSQL, as TestBudget does: a change is one statement,
// and one more lets this instance see it. A client is read once, and then known. An initial token is read before it is used,
// an access token that registers with its grant.
func TestBudgetRegistration(t *testing.T) {
	b := newBench(t)
	at, master := b.issuer+"/clients", "Bearer "+b.acme.APIToken
	const body = `{"redirect_uris":["https://rp.example/cb"],"preferred_client_id":"rp-7"}`
	given := members(t, b.call(t, http.MethodPost, b.issuer+"/direct-authz/rest/v2", jsonType,
		fmt.Sprintf(`{"sub":"dev","client_id":%q,"scope":["client-reg"],"audience":[%q]}`, b.acme.Client.ID, b.issuer), "Authorization", master))
	access := "Bearer " + fmt.Sprint(given["access_token"])
	for _, c := range []struct {
		operation, method, path, body, token string
		status, most                         int
	}{
		{"a dry run", http.MethodPost, "?dry_run=true", body, master, http.StatusCreated, 2},
		{"register", http.MethodPost, "", body, master, http.StatusCreated, 2},
		{"register with an access token", http.MethodPost, "", `{"redirect_uris":["https://rp.example/cb"]}`, access, http.StatusCreated, 4},
		{"read", http.MethodGet, "/rp-7", "", master, http.StatusOK, 1},
		{"read again", http.MethodGet, "/rp-7", "", master, http.StatusOK, 0},
		{"update", http.MethodPut, "/rp-7", `{"redirect_uris":["https://rp.example/2"]}`, master, http.StatusOK, 2},
		{"list", http.MethodGet, "", "", master, http.StatusOK, 1},
		{"delete", http.MethodDelete, "/rp-7", "", master, http.StatusNoContent, 3},
	} {
		b.counter.since()
		r := b.call(t, c.method, at+c.path, jsonType, c.body, "Authorization", c.token)
		if sent := b.counter.since(); r.StatusCode != c.status || len(sent) > c.most {
			t.Errorf("%s: %d, %d statements, %d are allowed:\n%s", c.operation, r.StatusCode, len(sent), c.most, strings.Join(sent, "\n"))
		}
	}
}

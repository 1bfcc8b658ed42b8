package console_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestImportUsers(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	h.create("initech", "")
	support, _ := h.admit("acme", "support")
	const path = "/admin/v1/tenants/acme/users"
	post := func(body string, headers ...string) answer {
		t.Helper()
		return h.call("POST", path+"/import", body, append([]string{"Authorization", "Bearer " + support}, headers...)...)
	}
	count := func() int { return len(h.call("GET", path+"?limit=1000", "").json(t)["users"].([]any)) }

	const body = `{"users": [{"username": "bob", "password_hash": "$2a$04$vXC1sjuBb5pPzuPHMvFEuO7xUOwWXs4kOdrlSSPAg7T7pPQSfvi5C", "claims": {"email": "bob@example.com"}},
		{"username": "carol", "enabled": false}]}`
	made := post(body, "Idempotency-Key", "first")
	if made.status != 201 {
		t.Fatalf("%d %s", made.status, made.body)
	}
	users := made.json(t)["users"].([]any)
	bob := h.call("GET", path+"/"+users[0].(map[string]any)["sub"].(string), "").json(t)
	carol := h.call("GET", path+"/"+users[1].(map[string]any)["sub"].(string), "").json(t)
	if bob["username"] != "bob" || bob["has_password"] != true || bob["enabled"] != true || carol["has_password"] != false || carol["enabled"] != false {
		t.Errorf("%v, %v", bob, carol)
	}
	if again := post(body, "Idempotency-Key", "first"); again.status != 201 || !bytes.Equal(again.body, made.body) || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("repeated: %d %s", again.status, again.body)
	}
	if events := string(h.call("GET", "/admin/v1/tenants/acme/events?kind=users_imported", "").body); strings.Count(events, `"users_imported"`) != 1 || !strings.Contains(events, `"users":"2"`) {
		t.Errorf("events: %s", events)
	}

	for _, tt := range []struct {
		rule, body string
		at         []string
	}{
		{"every fault is named", `{"users": [{"username": "dave"}, {"username": "BOB", "password_hash": "md5"}, {"username": "Dave", "claims": {"sub": "x"}}]}`,
			[]string{"#/users/1/username", "#/users/1/password_hash", "#/users/2/username", "#/users/2/claims/sub"}},
		{"members are checked in each", `{"users": [{"username": "dave"}, {"username": 1}, {"name": "x"}, 7, null], "more": 1}`,
			[]string{"#/more", "#/users/1/username", "#/users/2/name", "#/users/3", "#/users/4", "#/users/2/username"}},
		{"what else is wrong is named beside them", `{"users": [{"username": "dave", "nick": "d"}, {"username": "BOB", "password_hash": "md5"}, {"username": "Dave", "enabled": "no"}]}`,
			[]string{"#/users/0/nick", "#/users/2/enabled", "#/users/1/username", "#/users/1/password_hash", "#/users/2/username"}},
		{"a password is not a member", `{"users": [{"username": "dave", "password": "a long enough sentence"}]}`, []string{"#/users/0/password"}},
		{"users are a list", `{"users": {"username": "dave"}}`, []string{"#/users"}},
		{"nobody", `{"users": []}`, []string{"#/users"}},
		{"nothing", `{}`, []string{"#/users"}},
	} {
		a := post(tt.body, "Idempotency-Key", "refused")
		var at []string
		if faults, ok := a.json(t)["errors"].([]any); ok {
			for _, f := range faults {
				at = append(at, f.(map[string]any)["pointer"].(string))
			}
		}
		if a.status != 400 || !slices.Equal(at, tt.at) {
			t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
		}
	}
	if n := count(); n != 2 {
		t.Errorf("after what was refused there are %d users", n)
	}

	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `, {"username": "user%d", "password_hash": "$pbkdf2-sha256$i=600000,l=32$c2l4dGVlbiBieXRlIHNhbA$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", "claims": {"email": "user%d@example.com"}}`, i, i)
	}
	thousand := `{"users": [` + b.String()[2:] + `]}`
	if a := post(thousand[:len(thousand)-2] + b.String() + "]}"); a.status != 400 && a.status != 413 {
		t.Errorf("two thousand: %d", a.status)
	}
	// Of many at once under one key one is carried out, on whichever replica.
	other := newReplica(t, h.db)
	answers := make([]answer, 8)
	var work sync.WaitGroup
	for i := range answers {
		work.Go(func() {
			answers[i] = []*house{h, other}[i%2].call("POST", path+"/import", thousand, "Idempotency-Key", "race")
		})
	}
	work.Wait()
	for _, a := range answers {
		if a.status != 201 || !bytes.Equal(a.body, answers[0].body) {
			t.Errorf("%d %.200s", a.status, a.body)
		}
	}
	if n := h.call("GET", path+"?limit=1000", "").json(t); n["next_cursor"] == nil {
		t.Error("there are not 1,002 users")
	}
	if a := h.call("GET", "/admin/v1/tenants/initech/users", ""); len(a.json(t)["users"].([]any)) != 0 {
		t.Errorf("another tenant has %s", a.body)
	}
}

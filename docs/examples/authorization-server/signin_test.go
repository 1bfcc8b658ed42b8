package main

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"
)

func TestSignIn(t *testing.T) {
	b := open(t, authorizing, action("INTERACTION", ticket), issuing, action("LOCATION", toClient))
	res, page := b.send("GET", "/authorize?client_id=5&state=%3Cs%3E", "")
	if strings.Contains(page, `"T"`) || strings.Contains(page, "<b>") || !strings.Contains(page, "&lt;b&gt;Shop") {
		t.Error("the page shows the ticket, or markup of others:", page)
	}
	if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Error("policy:", policy)
	}
	if _, page := b.fill(res, page, "action", "login", "username", "carol", "password", "wrong"); !strings.Contains(page, "is wrong") {
		t.Error("wrong password:", page)
	}
	if _, page := b.fill(res, page, "action", "allow"); !strings.Contains(page, `name="password"`) {
		t.Error("consent before signing in:", page)
	}
	res, page = b.fill(res, page, "action", "login", "username", "carol", "password", "right")
	if _, page := b.fill(res, page, "action", "allow", "sub", "u-1002"); !strings.Contains(page, "Allow access?") {
		t.Error("consent of another user:", page)
	}
	res, _ = b.fill(res, page, "action", "allow")
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || to != "https://shop.example/cb?code=c&state=s" {
		t.Error(res.StatusCode, to)
	}
	if got := b.api.calls[0]; got != `/auth/authorization {"parameters":"client_id=5\u0026state=%3Cs%3E"}` {
		t.Error("the request was handed over as", got)
	}
	var issued struct {
		Ticket, Subject, Claims string
		AuthTime                int64
	}
	last := b.api.calls[len(b.api.calls)-1]
	if err := json.Unmarshal([]byte(strings.TrimPrefix(last, issuing+" ")), &issued); err != nil || issued.Ticket != "T" || issued.Subject != "u-1001" ||
		issued.Claims != `{"email":"carol@example.com"}` || time.Since(time.Unix(issued.AuthTime, 0)) > time.Minute {
		t.Error("issued:", last)
	}
	if res, _ := b.send("GET", "/authorize?client_id=5", ""); res.Header.Get("Location") == "" {
		t.Error("single sign-on with remembered consent shows a page")
	}
}

// What a signed-in user who has consented is still asked, or refused, with and without a page.
func TestWhoDecides(t *testing.T) {
	for _, c := range []struct {
		rule     string
		stranger bool
		members  string
		silent   string // reason where nobody may be asked
		page     string // what the page says where one is shown
	}{
		{"nothing is missing", false, "", "", ""},
		{"nobody has signed in", true, "", "NOT_LOGGED_IN", "Sign in"},
		{"signed in too long ago", false, `"maxAge":60`, "EXCEEDS_MAX_AGE", "Sign in"},
		{"another subject", false, `"subject":"u-1002"`, "DIFFERENT_SUBJECT", "Sign in"},
		{"an essential acr", false, `"acrs":["gold"],"acrEssential":true`, "ACR_NOT_SATISFIED", ""},
		{"a voluntary acr", false, `"acrs":["gold"]`, "", ""},
		{"a new scope value", false, `"scopes":[{"name":"phone"}]`, "CONSENT_REQUIRED", "Allow access?"},
		{"prompt=login", false, `"prompts":["LOGIN"]`, "", "Sign in"},
		{"prompt=consent", false, `"prompts":["CONSENT"]`, "", "Allow access?"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			b := open(t, authorizing, action("INTERACTION", ticket), issuing, action("LOCATION", toClient), failing, action("LOCATION", toClient))
			began := time.Now()
			if !c.stranger {
				res, page := b.send("GET", "/authorize?x=1", "")
				res, page = b.fill(res, page, "action", "login", "username", "carol", "password", "right")
				b.fill(res, page, "action", "allow")
			}
			b.s.Now = func() time.Time { return began.Add(time.Hour) }
			members := []string{ticket}
			if c.members != "" {
				members = append(members, c.members)
			}
			b.api.answers[authorizing], b.api.calls = action("INTERACTION", members...), nil
			_, page := b.send("GET", "/authorize?x=1", "")
			if c.page != "" && !strings.Contains(page, "<h1>"+c.page) || c.page == "" && strings.Contains(page, "<h1>") {
				t.Error("the page:", page)
			}
			b.api.answers[authorizing], b.api.calls = action("NO_INTERACTION", members...), nil
			b.send("GET", "/authorize?x=1", "")
			last, want := b.api.calls[len(b.api.calls)-1], issuing+" "
			if c.silent != "" {
				want = failing + ` {"reason":"` + c.silent + `","ticket":"T"}`
			}
			if !strings.HasPrefix(last, want) {
				t.Error("without a page:", last)
			}
		})
	}
}

func TestForgery(t *testing.T) {
	login := "action=login&username=carol&password=right"
	for _, c := range []struct {
		rule   string
		change func(b *browser) (header []string)
		status int
	}{
		{"a form of another site", func(*browser) []string { return []string{"Sec-Fetch-Site", "cross-site"} }, 403},
		{"a form of another origin", func(*browser) []string { return []string{"Origin", "https://evil.example"} }, 403},
		{"another browser", func(b *browser) []string { b.http.Jar, _ = cookiejar.New(nil); return nil }, 404},
		{"a request that waited too long", func(b *browser) []string { b.s.Now = func() time.Time { return time.Now().Add(patience) }; return nil }, 404},
	} {
		t.Run(c.rule, func(t *testing.T) {
			b := open(t, authorizing, action("INTERACTION", ticket))
			res, _ := b.send("GET", "/authorize?x=1", "")
			header := c.change(b)
			if res, _ := b.send("POST", res.Request.URL.String(), login, header...); res.StatusCode != c.status {
				t.Error(res.StatusCode)
			}
			if res, _ := b.send("POST", "/requests", login, header...); c.status == 403 && res.StatusCode != c.status {
				t.Error("at the other page:", res.StatusCode)
			}
		})
	}
}

func TestGuessing(t *testing.T) {
	us, err := newUsers("right", 10)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for range maxWrong {
		if _, err := us.verify(t.Context(), now, "carol", "guess"); err != errDenied {
			t.Fatal(err)
		}
	}
	if _, err := us.verify(t.Context(), now, "carol", "right"); err != errTooMany {
		t.Error("after too many guesses:", err)
	}
	if u, err := us.verify(t.Context(), now, "dave", "right"); err != nil || u.Sub != "u-1002" {
		t.Error("another user:", err)
	}
	if u, err := us.verify(t.Context(), now.Add(pause), "carol", "right"); err != nil || u.Sub != "u-1001" {
		t.Error("after the pause:", err)
	}
	if _, err := us.verify(t.Context(), now, "", "right"); err != errDenied {
		t.Error("nobody:", err)
	}
}

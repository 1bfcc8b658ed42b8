package login

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// everyPage returns one screen of each page that we have.
func everyPage(w *world) map[string]screen {
	b, c, o := w.browser(), w.browser(), w.browser()
	all := map[string]screen{"sign-in": b.begin(acme, nil)}
	all["denied"] = b.signIn(all["sign-in"], "alice", "wrong")
	all["consent"] = b.signIn(all["sign-in"], "alice", "right")
	all["switch"] = b.press(all["consent"], "switch", nil)
	all["choice"] = b.begin(acme, url.Values{"prompt": {"select_account"}})
	all["confirm logout"] = b.open(acme, "/logout")
	all["stayed"] = b.press(all["confirm logout"], "cancel", nil)
	all["signed out"] = b.press(all["confirm logout"], "logout", nil)
	all["form_post"] = c.press(c.begin(acme, url.Values{"response_mode": {"form_post"}}), "cancel", nil)
	all["bad request"] = o.begin(acme, url.Values{"redirect_uri": {"https://evil.example"}})
	all["forged"] = c.press(c.begin(acme, nil), "login", url.Values{"csrf": {"x"}})
	all["gone"] = c.open(acme, "/login/i/"+w.ui.newSecret())
	all["stranger"] = w.browser().open(acme, "/login/i/"+w.ui.newSecret())
	all["no file"] = o.open(acme, "/login/assets/x.css")
	all["no tenant"] = o.open("nowhere", "/logout")
	return all
}

func TestEveryPage(t *testing.T) {
	w := newWorld(t, true)
	for name, s := range everyPage(w) {
		h := s.Header
		for header, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cache-Control": "no-store", "Strict-Transport-Security": "max-age=31536000", "Content-Language": "en", "Access-Control-Allow-Origin": "", "Location": "",
		} {
			if got := h.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
		policy := strings.Split(h.Get("Content-Security-Policy"), "; ")
		for _, want := range []string{"default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !slices.Contains(policy, want) {
				t.Errorf("%s: the policy %q lacks %q", name, policy, want)
			}
		}
		style, formPost := "style-src 'self'", name == "form_post"
		if name == "no tenant" {
			m := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(s.html)
			if m == nil {
				t.Fatalf("%s: no style", name)
			}
			style = "style-src " + sourceHash(m[1])
		}
		if !slices.Contains(policy, style) || strings.Contains(h.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: the policy %q lacks %q", name, policy, style)
		}
		if strings.Contains(s.html, "<script") != formPost || strings.Contains(h.Get("Content-Security-Policy"), "script-src") != formPost {
			t.Errorf("%s: script where there should be none, or none where there should be", name)
		}
		if m := regexp.MustCompile(` (style|on\w+)=`).FindString(s.html); m != "" {
			t.Errorf("%s: an attribute%s that the policy forbids", name, m)
		}
		for _, m := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"`).FindAllStringSubmatch(s.html, -1) {
			if u, err := url.Parse(m[1]); err != nil || u.Host != "" && u.Host != "app.example.org" {
				t.Errorf("%s: leads to %s", name, m[1])
			}
		}
		for want, n := range map[string]int{`<html lang="en">`: 1, "<h1>": 1, `<main class="card">`: 1, "<title>": 1, "ZgotmplZ": 0, "%!": 0} {
			if strings.Count(s.html, want) != n {
				t.Errorf("%s: %q is not there %d times", name, want, n)
			}
		}
		if s.heading() == "" {
			t.Errorf("%s: has no heading", name)
		}
		for _, m := range regexp.MustCompile(`<input id="(\w+)"[^>]*>`).FindAllStringSubmatch(s.html, -1) {
			if !strings.Contains(s.html, `<label for="`+m[1]+`">`) {
				t.Errorf("%s: the field %s has no label", name, m[1])
			}
			if strings.Contains(s.html, `id="problem"`) != strings.Contains(m[0], `aria-describedby="problem"`) {
				t.Errorf("%s: the field %s is not tied to the problem", name, m[1])
			}
		}
	}
}

func TestFormAction(t *testing.T) {
	for _, tt := range []struct{ redirect, want string }{
		{"https://app.example.org/cb", "'self' https://app.example.org"},
		{"http://127.0.0.1:8765/cb", "'self' http://127.0.0.1:8765"},
		{"http://[::1]:8765/cb", "'self' http://[::1]:8765"},
		{"https://app.example.org;script-src/cb", "'self'"},
		{"org.example.pocket:/cb", "'self' org.example.pocket:"},
		{"javascript:alert(1)", "'self'"},
		{"data:text/html,x", "'self'"},
		{"/cb", "'self'"},
		{"://", "'self'"},
		{"https://app.example.org/;%20script-src%20*", "'self' https://app.example.org"},
	} {
		if got := formAction(tt.redirect); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.redirect, got, tt.want)
		}
	}
	w := newWorld(t, false)
	b := w.browser()
	s := b.begin(acme, url.Values{"client_id": {"app"}})
	if !strings.HasSuffix(s.Header.Get("Content-Security-Policy"), "form-action 'self' org.example.pocket:") {
		t.Errorf("the policy is %q", s.Header.Get("Content-Security-Policy"))
	}
	if s = b.signIn(s, "alice", "right"); !strings.Contains(words(s.html), "You will return to the app on this device.") {
		t.Error("the consent page does not say where a native app is")
	}
	if s = b.press(s, "allow", nil); !strings.HasPrefix(s.Header.Get("Location"), "org.example.pocket:/cb?code=") {
		t.Errorf("a native app is called at %s", s.Header.Get("Location"))
	}
}

func TestMarkupIsInert(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>`
	w := newWorld(t, false)
	w.clients["web"].Name = evil
	w.clients["web"].PolicyURI = `javascript:alert(1)`
	w.clients["web"].TOSURI = `https://app.example.org/"><script>alert(1)</script>`
	w.clients["web"].LogoURI = "https://tracker.example/logo.png"
	w.clients["web"].Localized = map[string]string{"policy_uri#de": "data:text/html,x"}
	w.tenants[acme].Settings.Name = evil
	w.people.add("eve"+evil, "sub-eve", `{"name":"<b>Eve</b>\u202e"}`)
	b := w.browser()
	s := b.begin(acme, url.Values{"login_hint": {evil}, "scope": {"openid <script>alert(1)</script>"}, "ui_locales": {"de"}})
	consent := b.signIn(s, "eve"+evil, "right")
	all := map[string]screen{"sign-in": s, "denied": w.browser().signIn(s, evil, "wrong"), "consent": consent,
		"chooser": b.begin(acme, url.Values{"prompt": {"select_account"}}), "logout": b.open(acme, "/logout"),
		"error": b.open(acme, "/authorize?client_id="+url.QueryEscape(evil)), "handle": b.open(acme, "/login/i/"+url.PathEscape(evil)), "file": b.open(acme, "/login/assets/"+url.PathEscape(evil))}
	for name, s := range all {
		for _, bad := range []string{"<script", "<img src=x", "<b>Eve", "javascript:", "data:text", "tracker.example", "\u202e"} {
			if strings.Contains(s.html, bad) {
				t.Errorf("%s: the page holds %q", name, bad)
			}
		}
	}
	if s.field("username") != evil {
		t.Errorf("login_hint comes back as %q", s.field("username"))
	}
	if !strings.Contains(words(consent.html), "<b>Eve</b>") || !strings.Contains(consent.html, "Terms of service") || strings.Contains(consent.html, "Privacy policy") {
		t.Errorf("the consent page says %s", words(consent.html))
	}
}

func TestConsentInWords(t *testing.T) {
	w := newWorld(t, false)
	w.tenants[acme].Settings.Authorization.ClaimsOfScope = map[string][]string{"staff": {"employee_no", "email"}}
	w.tenants[acme].Settings.Authorization.ScopeDetails = map[string]tenant.ScopeDetails{
		"bills": {Description: "read your bills", Descriptions: map[string]string{"fr": "lire vos factures"}}, "orders": {Description: "read your <orders>"}}
	w.clients["web"].Localized = map[string]string{"client_name#fr": "Registre"}
	w.store.consent["acme sub-alice web"] = &grant.Authorization{Scope: oauth.Scope{"email"}, Claims: []string{"email", "email_verified", "zoneinfo"}}
	b := w.browser()
	s := b.signIn(b.begin(acme, url.Values{"scope": {"openid email phone staff bills orders"}, "ui_locales": {"fr-CA"},
		"claims": {`{"userinfo":{"zoneinfo":null,"given_name":{"essential":true},"shoe_size":null,"phone_number":null,"locale":{"purpose":"to greet <b>you</b>"},
			"verified_claims":{"verification":{"trust_framework":null},"claims":{"birthdate":null}}}}`}, "purpose": {"Open an account"}}), "alice", "right")
	list := func(id string) []string {
		m := regexp.MustCompile(`(?s)<ul[^>]*aria-labelledby="` + id + `">(.*?)</ul>`).FindStringSubmatch(s.html)
		if m == nil {
			return nil
		}
		var items []string
		for _, li := range regexp.MustCompile(`(?s)<li>(.*?)</li>`).FindAllStringSubmatch(m[1], -1) {
			items = append(items, words(li[1]))
		}
		return items
	}
	if got, want := list("new"), []string{
		"recognise you An identifier of your account, and when you signed in",
		"see your phone number And whether it has been verified",
		"use the permission staff employee_no, see your e-mail address",
		"lire vos factures",
		"read your <orders>", // which words has unescaped
		"see your first name",
		"see your language",
		"see the detail shoe_size",
		"see, with who verified it, the detail birthdate",
		"do this, as the app puts it: Open an account",
		"see your language to greet <b>you</b>",
	}; !slices.Equal(got, want) {
		t.Errorf("new is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got, want := list("had"), []string{"see your e-mail address And whether it has been verified", "see your time zone"}; !slices.Equal(got, want) {
		t.Errorf("granted before is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, want := range []string{"Allow Registre to use your account?", "You will return to app.example.org.", "Privacy policy", "Terms of service"} {
		if !strings.Contains(words(s.html), want) {
			t.Errorf("the page does not say %q: %s", want, words(s.html))
		}
	}
	if strings.Contains(s.html, "has not been checked") {
		t.Error("a client of the tenant's own is called unchecked")
	}
}

func TestUncheckedClient(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	for range 2 { // asked each time
		s := b.begin(acme, url.Values{"client_id": {"nobody"}})
		if s.heading() == "Sign in" {
			if !strings.Contains(words(s.html), "Stray has not been checked by Acme.") {
				t.Error("the sign-in page does not warn")
			}
			s = b.signIn(s, "alice", "right")
		}
		if !strings.Contains(words(s.html), "Stray has not been checked by Acme.") {
			t.Error("the consent page does not warn")
		}
		b.press(s, "allow", nil)
	}
}

func TestLogout(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	if s := b.open(acme, "/logout"); s.heading() != "You are signed out" {
		t.Errorf("without a session: %q", s.heading())
	}
	b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
	s := b.open(acme, "/logout")
	if s.heading() != "Sign out?" || !strings.Contains(words(s.html), "You are signed in as Alice Adams.") || len(w.store.live(acme)) != 1 {
		t.Fatalf("with a session: %q", s.heading())
	}
	for _, site := range []string{"cross-site", "same-site"} {
		b.header.Set("Sec-Fetch-Site", site)
		if got := b.press(s, "logout", nil); got.StatusCode != http.StatusForbidden || len(w.store.live(acme)) != 1 {
			t.Errorf("a form from %s ends the session", site)
		}
	}
	b.header.Del("Sec-Fetch-Site")
	if got := b.press(s, "logout", url.Values{"csrf": {"x"}}); got.StatusCode != http.StatusForbidden || len(w.store.live(acme)) != 1 || !strings.Contains(got.html, `href="/t/acme/logout">Try again<`) {
		t.Error("a form that is not ours ends the session")
	}
	if got := b.press(s, "cancel", nil); got.heading() != "You are still signed in" || len(w.store.live(acme)) != 1 {
		t.Errorf("staying leads to %q", got.heading())
	}
	if got := b.press(s, "logout", nil); got.heading() != "You are signed out" || len(w.store.live(acme)) != 0 || b.cookie("chy-s-acme") != "" {
		t.Errorf("signing out leads to %q", got.heading())
	}
	if got := b.press(s, "logout", nil); got.heading() != "You are signed out" {
		t.Errorf("signing out twice leads to %q", got.heading())
	}
}

func TestLogo(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 100)
	uri := func(mediaType, content string) string {
		return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString([]byte(content))
	}
	for _, tt := range []struct {
		rule, logo string
		served     string
	}{
		{"a picture is served as what it is", uri("image/png", png), "image/png"},
		{"a WebP as well", uri("image/webp", "RIFF\x10\x00\x00\x00WEBPVP8 xxxx"), "image/webp"},
		{"one that says to be another is not", uri("image/jpeg", png), ""},
		{"a drawing that may hold script is not", uri("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"), ""},
		{"a page is not", uri("text/html", "<html>"), ""},
		{"a page that says to be a picture is not", uri("image/png", "<html>"), ""},
		{"one that is too large is not", uri("image/png", png+strings.Repeat("x", maxLogo)), ""},
		{"what is no data: URI is not", "https://tracker.example/logo.png", ""},
		{"what is not base64 is not", "data:image/png;base64,%%%", ""},
		{"none is none", "", ""},
	} {
		w := newWorld(t, false)
		w.tenants[acme].Settings.Logo = tt.logo
		s := w.browser().open(acme, "/login/logo?v=7")
		if tt.served == "" {
			if s.StatusCode != http.StatusNotFound || s.heading() == "" {
				t.Errorf("%s: got %d %s", tt.rule, s.StatusCode, s.Header.Get("Content-Type"))
			}
			continue
		}
		if s.StatusCode != http.StatusOK || s.Header.Get("Content-Type") != tt.served || s.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(s.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: got %d %v", tt.rule, s.StatusCode, s.Header)
		}
		if p := w.browser().begin(acme, nil); !strings.Contains(p.html, `<img class="logo" src="/t/acme/login/logo?v=7" alt="Acme">`) {
			t.Errorf("%s: the page does not show it", tt.rule)
		}
	}
}

func TestStyleSheet(t *testing.T) {
	w := newWorld(t, false)
	w.tenants[acme].Settings.Color = "#FF8800"
	b := w.browser()
	s := b.begin(acme, nil)
	m := regexp.MustCompile(`<link rel="stylesheet" href="([^"]*)">`).FindStringSubmatch(s.html)
	icon := regexp.MustCompile(`<link rel="icon" href="([^"]*)">`).FindStringSubmatch(s.html)
	if m == nil || icon == nil || !strings.HasPrefix(m[1], "/t/acme/login/assets/ff8800-") {
		t.Fatalf("the page links %v and %v", m, icon)
	}
	for path, mediaType := range map[string]string{m[1]: "text/css; charset=utf-8", icon[1]: "image/svg+xml"} {
		got := b.do(http.MethodGet, w.server.URL+path, "")
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != mediaType || got.Header.Get("Cache-Control") != immutable {
			t.Errorf("%s: got %d %v", path, got.StatusCode, got.Header)
		}
	}
	if got := b.do(http.MethodGet, w.server.URL+m[1], ""); !strings.Contains(got.html, "--fill:#ff8800") {
		t.Error("the style sheet lacks the accent")
	}
	for _, name := range []string{"ff8800-0000000000000000.css", "ff8801" + m[1][len("/t/acme/login/assets/ff8800"):], "FF8800" + m[1][len("/t/acme/login/assets/ff8800"):], "login.css", "..%2flogin.css", "x"} {
		if got := b.open(acme, "/login/assets/"+name); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d", name, got.StatusCode)
		}
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct{ rule, name, otherwise, want string }{
		{"a plain name stays", "Ledger", "id", "Ledger"},
		{"no name is the id", "", "id", "id"},
		{"only white space is no name", " \t\n", "id", "id"},
		{"line breaks are spaces", "Sign in\nto Acme", "id", "Sign in to Acme"},
		{"what turns the direction of the text is dropped", "gro.elpmaxe\u202e//", "id", "gro.elpmaxe//"},
		{"right-to-left letters stay", "שלום", "id", "שלום"},
		{"an endless name is cut", strings.Repeat("ä", 200), "id", strings.Repeat("ä", maxName-1) + "…"},
		{"broken UTF-8 is dropped", "a\xffb", "id", "ab"},
	} {
		if got := shown(tt.name, tt.otherwise); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.rule, got, tt.want)
		}
	}
	for uri, want := range map[string]string{
		"https://example.org/p": "https://example.org/p", "http://example.org": "http://example.org", "javascript:alert(1)": "", "JavaScript:alert(1)": "",
		"data:text/html,x": "", "//example.org": "", "https://": "", "https://a@evil.example/": "", "mailto:a@example.org": "", "": "", "https://exa mple.org": "",
	} {
		if got := link(uri); got != want {
			t.Errorf("link to %q is %q, want %q", uri, got, want)
		}
	}
}

func TestBase(t *testing.T) {
	for issuer, want := range map[string]string{"https://id.example.org": "", "https://id.example.org/": "", "https://example.org/t/acme": "/t/acme", "https://example.org/a%20b": "/a%20b"} {
		if got := base(&tenant.Tenant{Issuer: issuer}); got != want {
			t.Errorf("%s: got %q, want %q", issuer, got, want)
		}
	}
}

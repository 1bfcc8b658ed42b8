package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// listed is a page of sessions or grants of the administration.
type listed struct {
	Sessions []listedSession `json:"sessions"`
	Grants   []listedGrant   `json:"grants"`
	Next     string          `json:"next_cursor"`
}

type listedSession struct {
	ID      string   `json:"id"`
	Subject string   `json:"sub"`
	Clients []string `json:"clients"`
}

type listedGrant struct {
	ID       string `json:"id"`
	ClientID string `json:"client_id"`
	Offline  bool   `json:"offline"`
}

// An administrator lists and ends sessions and grants, by the API and on the command line (S165): what is ended tells its
// relying parties and takes its tokens with it (S86, S162), and another tenant's is not there.
func TestSessionsAndGrants(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1") })
			r := newLogoutReceiver(t)
			x, y := s.newTenant(t), s.newTenant(t)
			c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "client_name": "Shop", "backchannel_logout_uri": r.url + "/well",
				"grant_types": []string{"authorization_code", "refresh_token"}})
			admin := func(method, path string) reply {
				return call(t, method, s.url+"/admin/v1/tenants/"+x.TenantID+path, bearer(s.adminToken))
			}
			sub := url.QueryEscape(x.User.Subject)
			signIn := func(scope string) tokens {
				t.Helper()
				at := newVisitor(t).signIn(t, x, x.url("/authorize?"+c.request("scope", scope).Encode()))
				return issued(t, x.redeem(t, c, at.Query().Get("code")))
			}
			sessions := func(query string) (l listed) {
				t.Helper()
				admin(http.MethodGet, "/sessions"+query).want(t, "200").read(t, &l)
				return l
			}
			first, second, third := signIn("openid"), signIn("openid offline_access"), signIn("openid")
			all := sessions("?sub=" + sub)
			if len(all.Sessions) != 3 || all.Sessions[0].Subject != x.User.Subject || !slices.Contains(all.Sessions[0].Clients, c.ID) {
				t.Fatalf("sessions: %+v", all)
			}
			page := sessions("?limit=2")
			if len(page.Sessions) != 2 || page.Next == "" || len(sessions("?limit=2&cursor="+page.Next).Sessions) != 1 {
				t.Errorf("pages: %+v", page)
			}
			if l := sessions("?sub=nobody"); l.Sessions == nil || len(l.Sessions) != 0 {
				t.Errorf("nobody's sessions: %+v", l)
			}
			id := all.Sessions[0].ID
			call(t, http.MethodDelete, s.url+"/admin/v1/tenants/"+y.TenantID+"/sessions/"+id, bearer(s.adminToken)).want(t, "404 not_found")
			admin(http.MethodDelete, "/sessions").want(t, "400 invalid_request")
			admin(http.MethodGet, "/sessions/"+id).want(t, "200")
			admin(http.MethodDelete, "/sessions/"+id).want(t, "204")
			admin(http.MethodDelete, "/sessions/"+id).want(t, "404 not_found")
			admin(http.MethodGet, "/sessions/"+id).want(t, "404 not_found")
			within(t, theBound, "a relying party is told", func() bool { return r.count("/well") == 1 })

			out, err := s.run("session", "list", x.TenantID, "--sub", x.User.Subject, "-o", "json")
			var shown []listedSession
			if err != nil || json.Unmarshal([]byte(out), &shown) != nil || len(shown) != 2 {
				t.Fatalf("session list: %v\n%s", err, out)
			}
			if _, err := s.run("session", "end", x.TenantID, "--", shown[0].ID); err != nil {
				t.Error(err)
			}
			if _, err := s.run("session", "end", x.TenantID, "--sub", x.User.Subject); err != nil {
				t.Error(err)
			}
			within(t, theBound, "all are told", func() bool { return r.count("/well") == 3 })
			if l := sessions(""); len(l.Sessions) != 0 {
				t.Errorf("sessions are left: %+v", l)
			}
			for _, k := range []tokens{first, third} {
				within(t, theBound, "what hung on it is worth nothing", func() bool { return !x.active(t, k.Access) })
				x.refresh(t, c, k.Refresh).want(t, "400 invalid_grant")
			}
			if !x.active(t, second.Access) {
				t.Error("what was granted for offline use has ended")
			}

			grants := func() (l listed) {
				t.Helper()
				admin(http.MethodGet, "/grants?sub="+sub+"&client_id="+c.ID).want(t, "200").read(t, &l)
				return l
			}
			admin(http.MethodGet, "/grants").want(t, "400 invalid_request")
			l := grants()
			if len(l.Grants) != 1 || l.Grants[0].ClientID != c.ID || !l.Grants[0].Offline {
				t.Fatalf("grants: %+v", l)
			}
			out, err = s.run("grant", "list", x.TenantID, x.User.Subject, "-o", "json")
			if err != nil || !strings.Contains(out, l.Grants[0].ID) {
				t.Errorf("grant list: %v\n%s", err, out)
			}
			call(t, http.MethodDelete, s.url+"/admin/v1/tenants/"+y.TenantID+"/grants/"+l.Grants[0].ID, bearer(s.adminToken)).want(t, "404 not_found")
			admin(http.MethodDelete, "/grants/"+l.Grants[0].ID).want(t, "204")
			admin(http.MethodDelete, "/grants/"+l.Grants[0].ID).want(t, "404 not_found")
			if x.active(t, second.Access) || len(grants().Grants) != 0 {
				t.Error("a revoked grant stands")
			}
			x.refresh(t, c, second.Refresh).want(t, "400 invalid_grant")

			k := signIn("openid offline_access")
			if _, err := s.run("grant", "revoke", x.TenantID, "--sub", x.User.Subject, "--client", c.ID); err != nil {
				t.Error(err)
			}
			within(t, theBound, "what was withdrawn is worth nothing", func() bool { return !x.active(t, k.Access) })
			if p := newVisitor(t); !strings.Contains(string(p.fill(t, p.open(t, x.url("/authorize?"+c.request("scope", "openid").Encode())), "action", "login",
				"username", x.User.Username, "password", x.User.Password).body), `value="allow"`) {
				t.Error("after consent was withdrawn nobody is asked")
			}
			admin(http.MethodDelete, "/grants?sub="+sub).want(t, "204")
		})
	}
}

// A user sees where they are signed in and what apps may do, signs out elsewhere and withdraws access, without scripts (S165),
// and nobody else's form does so (S183).
func TestAccountPage(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"name": "Acme"})
		shop := x.register(t, map[string]any{"redirect_uris": []string{callback}, "client_name": "Shop", "grant_types": []string{"authorization_code", "refresh_token"}})
		desk := x.register(t, map[string]any{"redirect_uris": []string{callback}, "client_name": "Desk"})
		at := x.url("/login/account")
		if p := newVisitor(t).open(t, at); p.StatusCode != http.StatusOK || !strings.Contains(p.text(), "You are not signed in") {
			t.Errorf("without a session: %d\n%s", p.StatusCode, p.text())
		}
		enter := func(v *visitor, c *client, scope string) tokens {
			return issued(t, x.redeem(t, c, v.signIn(t, x, x.url("/authorize?"+c.request("scope", scope).Encode())).Query().Get("code")))
		}
		here, there, third := newVisitor(t), newVisitor(t), newVisitor(t)
		enter(here, shop, "openid email")
		kept := enter(here, desk, "openid offline_access")
		hanging := enter(there, shop, "openid")
		enter(third, shop, "openid")
		p := here.open(t, at)
		for _, says := range []string{"This browser", "Another browser or device", "Shop", "Desk", "Sign out everywhere else", "see your e-mail address"} {
			if !strings.Contains(p.text(), says) {
				t.Errorf("the page does not say %q:\n%s", says, p.text())
			}
		}
		ids := regexp.MustCompile(`name="session" value="([^"]*)"`).FindAllStringSubmatch(string(p.body), -1)
		if len(ids) != 2 {
			t.Fatalf("%d other sessions are shown", len(ids))
		}
		token := regexp.MustCompile(`name="csrf" value="([^"]*)"`).FindStringSubmatch(string(p.body))[1]
		post := func(v *visitor, pairs ...string) page {
			return v.follow(t, http.MethodPost, at, form(append([]string{"csrf", token}, pairs...)...), header("Origin", p.at.Scheme+"://"+p.at.Host))
		}
		signedIn := func(v *visitor) bool {
			return v.open(t, x.url("/authorize?"+shop.request("prompt", "none", "scope", "openid").Encode())).at.Query().Get("code") != ""
		}
		for rule, r := range map[string]page{
			"a form without its token":     here.follow(t, http.MethodPost, at, form("action", "end_others"), header("Origin", p.at.Scheme+"://"+p.at.Host)),
			"another browser's token":      post(there, "action", "end_others"),
			"a form that another site has": here.follow(t, http.MethodPost, at, form("csrf", token, "action", "end_others"), header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site")),
		} {
			if r.StatusCode != http.StatusForbidden {
				t.Errorf("S183 %s: %d", rule, r.StatusCode)
			}
		}
		if !signedIn(there) || !signedIn(third) {
			t.Fatal("S183 a forged form has ended sessions")
		}
		if r := post(here, "action", "end", "session", ids[0][1]); !strings.Contains(r.text(), "You are signed out there") {
			t.Errorf("ending one: %d\n%s", r.StatusCode, r.text())
		}
		if signedIn(there) == signedIn(third) {
			t.Error("not one session has ended")
		}
		post(here, "action", "end_others")
		if signedIn(there) || signedIn(third) || !signedIn(here) {
			t.Error("S165 the rest has not ended, or this one has")
		}
		if x.active(t, hanging.Access) {
			t.Error("S86 what hung on an ended session stands")
		}
		if !x.active(t, kept.Access) {
			t.Error("the other app has lost its access")
		}
		r := post(here, "action", "withdraw", "client", desk.ID)
		if !strings.Contains(r.text(), "The app has no access any more") || strings.Contains(r.text(), "Withdraw access Desk") || x.active(t, kept.Access) {
			t.Errorf("S86 withdrawing: %d\n%s", r.StatusCode, r.text())
		}
		// A subject that signs in elsewhere cannot end this user's sessions.
		if r := post(newVisitor(t), "action", "end_others"); !strings.Contains(r.text(), "You are not signed in") || !signedIn(here) {
			t.Errorf("a browser without a session: %d", r.StatusCode)
		}

		w := openWindow(t, string(engineOf(s))+" account", 800, false)
		w.do(t, chromedp.Navigate(x.url("/authorize?"+shop.request("scope", "openid email offline_access").Encode())), seen("#username"),
			typed("username", x.User.Username), typed("password", x.User.Password), press("login"), seen(`button[value="allow"]`), press("allow"), chromedp.WaitNotPresent(`button[value="allow"]`, chromedp.ByQuery))
		w.do(t, chromedp.Navigate(at), seen(`button[value="end_others"]`))
		w.shoot(t, "1-account")
		w.do(t, press("end_others"), seen(`.note`))
		w.shoot(t, "2-ended")
		if signedIn(here) {
			t.Error("the other browser is still signed in")
		}
	})
}

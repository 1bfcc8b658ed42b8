package oidc

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/flows/request"
)

const (
	cb    = "https%3A%2F%2Fshop.example%2Fcb"
	query = "response_type=code&client_id=shop&redirect_uri=" + cb + "&scope=openid&state=af0ifjsldkj"
)

// errorAt is the error that a redirect to the client carries; empty where it goes elsewhere.
func errorAt(location string) string {
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, callback) {
		return ""
	}
	q, _ := url.ParseQuery(u.RawQuery + u.Fragment)
	return q.Get("error")
}

func TestAuthorizationRequestsComeByQueryOrForm(t *testing.T) {
	const asks = "OK page: login"
	half, other, _ := strings.Cut(query, "&scope")
	other = "scope" + other
	for _, c := range []struct {
		rule         string
		method, path string
		body         string
		headers      []string
		want         string // status and what it says
		err          string // that the client is sent
	}{
		{"in a query", "GET", "/authorize?" + query, "", nil, asks, ""},
		{"with a slash after the path", "GET", "/authorize/?" + query, "", nil, asks, ""},
		{"in a form", "POST", "/authorize", query, nil, asks, ""},
		{"in a form that says its charset", "POST", "/authorize", query, []string{"Content-Type: application/x-www-form-urlencoded; charset=UTF-8"}, asks, ""},
		{"half in the query, half in a form", "POST", "/authorize?" + half, other, nil, asks, ""},
		{"the body of a GET does not count", "GET", "/authorize?" + query, "scope=email&client_id=nobody", nil, asks, ""},
		{"in a body of another type", "POST", "/authorize", `{"client_id":"shop"}`, []string{"Content-Type: application/json"}, "Unsupported Media Type error page: invalid_request", ""},
		{"in a body of no type", "POST", "/authorize", query, []string{"Content-Type:"}, "Unsupported Media Type error page: invalid_request", ""},
		{"in a body that is compressed", "POST", "/authorize", query, []string{"Content-Encoding: gzip"}, "Unsupported Media Type error page: invalid_request", ""},
		{"one too long, in a query", "GET", "/authorize?" + query + "&x=" + strings.Repeat("x", request.MaxQuery), "", nil, "Request Entity Too Large error page: invalid_request", ""},
		{"one too long, in a form", "POST", "/authorize", query + "&x=" + strings.Repeat("x", request.MaxQuery), nil, "Request Entity Too Large error page: invalid_request", ""},
		{"one too long, half in each", "POST", "/authorize?x=" + strings.Repeat("x", request.MaxQuery/2), query + "&y=" + strings.Repeat("x", request.MaxQuery/2), nil, "Request Entity Too Large error page: invalid_request", ""},
		{"by another method", "PUT", "/authorize?" + query, "", nil, "Method Not Allowed method_not_allowed", ""},
		{"scope twice in the query", "GET", "/authorize?" + query + "&scope=openid", "", nil, "See Other", "invalid_request"},
		{"scope in the query and in the form", "POST", "/authorize?scope=openid", query, nil, "See Other", "invalid_request"},
		{"an unknown parameter in the query and in the form", "POST", "/authorize?foo=1", query + "&foo=1", nil, "See Other", "invalid_request"},
		{"resource in the query and in the form", "POST", "/authorize?resource=urn:a", query + "&resource=urn:b", nil, asks, ""},
		{"client_id in the query and in the form", "POST", "/authorize?client_id=shop", query, nil, "Bad Request error page: invalid_request", ""},
		{"redirect_uri in the query and in the form", "POST", "/authorize?redirect_uri=" + cb, query, nil, "Bad Request error page: invalid_request", ""},
		{"of no client", "GET", "/authorize", "", nil, "Bad Request error page: invalid_request", ""},
		{"of an unknown client", "GET", "/authorize?" + strings.Replace(query, "shop", "nobody", 1), "", nil, "Bad Request error page: invalid_request", ""},
		{"of an unknown client, in a form", "POST", "/authorize", strings.Replace(query, "shop", "nobody", 1), nil, "Bad Request error page: invalid_request", ""},
		{"of an unknown client that wants no page", "GET", "/authorize?prompt=none&" + strings.Replace(query, "shop", "nobody", 1), "", nil, "Bad Request error page: invalid_request", ""},
		{"of a disabled client", "GET", "/authorize?" + strings.Replace(query, "client_id=shop", "client_id=closed", 1), "", nil, "Bad Request error page: invalid_request", ""},
		{"with an unknown redirect URI", "GET", "/authorize?" + strings.Replace(query, "%2Fcb", "%2Fevil", 1), "", nil, "Bad Request error page: invalid_request", ""},
		{"without a page, of nobody who is signed in", "GET", "/authorize?prompt=none&" + query, "", nil, "See Other", "login_required"},
		{"with a response type that there is not", "GET", "/authorize?" + strings.Replace(query, "=code", "=token", 1), "", nil, "See Other", "unsupported_response_type"},
	} {
		w := newWorld(t)
		rec := w.visit(c.method, c.path, c.body, c.headers...)
		at := rec.Header().Get("Location")
		if got := answered(rec); got != c.want || errorAt(at) != c.err {
			t.Errorf("%s: got %s, Location %q", c.rule, got, at)
		}
		if c.want != "See Other" && at != "" {
			t.Errorf("%s: it redirects to %q", c.rule, at)
		}
		if got := rec.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control: %s", c.rule, got)
		}
		if c.want == "See Other" && c.err != "" && (!strings.Contains(at, "state=af0ifjsldkj") || !strings.Contains(at, "iss=")) {
			t.Errorf("%s: the client is sent to %q", c.rule, at)
		}
		if c.want == asks && len(w.browser.begun[0].Pending.Binding) == 0 {
			t.Errorf("%s: the request is not bound to its browser", c.rule)
		}
	}
}

// A form that another site posts comes without our cookies, so that the session would not be seen.
func TestAFormOfAnotherSiteIsAskedForAgain(t *testing.T) {
	long := query + "&nonce=" + strings.Repeat("x", 400) + "&claims=" + strings.Repeat("y", maxLocation)
	for _, c := range []struct {
		rule         string
		method, path string
		body         string
		site         string
		want         string // Location; empty: it is served
	}{
		{"of another site", "POST", "/authorize", query, "cross-site", "?" + query},
		{"of another site, to a path with a slash", "POST", "/authorize/", query, "cross-site", "?" + query},
		{"of another site, beside a query", "POST", "/authorize?" + query, "prompt=none&ui_locales=de%20fr", "cross-site", "?" + query + "&prompt=none&ui_locales=de%20fr"},
		{"as it was encoded", "POST", "/authorize", query + "&a=b+c%2b%7E%zz&&=", "cross-site", "?" + query + "&a=b+c%2b%7E%zz&&="},
		{"with what no address holds", "POST", "/authorize", query + "&a=#b c\r\nX: y\u00e9", "cross-site", "?" + query + "&a=%23b%20c%0D%0AX:%20y%C3%A9"},
		{"of an unknown client", "POST", "/authorize", "client_id=nobody", "cross-site", "?client_id=nobody"},
		{"too long for an address", "POST", "/authorize", long, "cross-site", ""},
		{"of our own site", "POST", "/authorize", query, "same-site", ""},
		{"of our own origin", "POST", "/authorize", query, "same-origin", ""},
		{"of a browser that does not say", "POST", "/authorize", query, "", ""},
		{"a link of another site", "GET", "/authorize?" + query, "", "cross-site", ""},
	} {
		for _, loginURL := range []string{"", "https://login.example/"} {
			w := newWorld(t)
			w.tenant.Settings.LoginURL = loginURL
			rec := w.visit(c.method, c.path, c.body, "Sec-Fetch-Site: "+c.site)
			got := rec.Header().Get("Location")
			if c.want == "" {
				if strings.HasPrefix(got, "?") || loginURL == "" && len(w.browser.begun) != 1 || !strings.HasPrefix(got, loginURL) {
					t.Errorf("%s: got %d, Location %q", c.rule, rec.Code, got)
				}
				continue
			}
			if rec.Code != http.StatusSeeOther || got != c.want || len(w.browser.begun) > 0 || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: got %d, Location %q", c.rule, rec.Code, got)
			}
		}
	}
}

func TestTheTenantsOwnLoginPageIsHandedTheRequest(t *testing.T) {
	const ui = "https://login.example/signin"
	for _, c := range []struct {
		rule     string
		loginURL string
		method   string
		query    string
		body     string
		want     string // Location; empty: an error page
	}{
		{"as it came", ui, "GET", query, "", ui + "?" + query},
		{"behind a query of its own", ui + "?theme=dark", "GET", query, "", ui + "?theme=dark&" + query},
		{"without a page", ui, "GET", query + "&prompt=none", "", ui + "?" + query + "&prompt=none"},
		{"byte by byte", ui, "GET", query + "&x=a+b%20c%2B%2b&y=%E2%82%AC&&z&=1;2&%zz=%", "", ui + "?" + query + "&x=a+b%20c%2B%2b&y=%E2%82%AC&&z&=1;2&%zz=%"},
		{"in a form", ui, "POST", "", query, ui + "?" + query},
		{"in a form beside a query", ui, "POST", "ui_locales=de", query, ui + "?ui_locales=de&" + query},
		{"which is wrong, but whose client is known", ui, "GET", query + "&scope=twice", "", ui + "?" + query + "&scope=twice"},
		{"of an unknown client", ui, "GET", strings.Replace(query, "shop", "nobody", 1), "", ""},
		{"of an unknown client, without a page", ui, "GET", strings.Replace(query, "shop", "nobody", 1) + "&prompt=none", "", ""},
		{"of a disabled client", ui, "GET", strings.Replace(query, "client_id=shop", "client_id=closed", 1), "", ""},
		{"with an unknown redirect URI", ui, "GET", strings.Replace(query, "%2Fcb", "%2Fevil", 1), "", ""},
		{"with two", ui, "GET", query + "&redirect_uri=" + cb, "", ""},
		{"of nobody", ui, "GET", "", "", ""},
	} {
		w := newWorld(t)
		w.tenant.Settings.LoginURL = c.loginURL
		rec := w.visit(c.method, "/authorize?"+c.query, c.body)
		got := rec.Header().Get("Location")
		if c.want == "" {
			if a := answered(rec); a != "Bad Request error page: invalid_request" || got != "" {
				t.Errorf("%s: got %s, Location %q", c.rule, a, got)
			}
			continue
		}
		if rec.Code != http.StatusSeeOther || got != c.want || rec.Header().Get("Cache-Control") != "no-store" || rec.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: got %d, Location %q, %v", c.rule, rec.Code, got, rec.Header())
		}
		if len(w.browser.begun) > 0 {
			t.Errorf("%s: our own pages began it too", c.rule)
		}
	}
}

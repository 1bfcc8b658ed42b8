package authorize

import (
	"net/url"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

func TestResponseURI(t *testing.T) {
	acme, s := &tenant.Tenant{Issuer: "https://id.acme.example"}, &Service{}
	const iss = "iss=https%3A%2F%2Fid.acme.example"
	for _, tt := range []struct {
		rule, mode, redirect, state string
		err                         *oauth.Error
		want                        string
	}{
		{"query", "query", callback, "s", nil, callback + "?code=c&state=s&" + iss},
		{"query behind a query", "query", callback + "?a=b", "s", nil, callback + "?a=b&code=c&state=s&" + iss},
		{"query behind an empty query", "query", callback + "?", "", nil, callback + "?code=c&" + iss},
		{"query behind an ampersand", "query", callback + "?a&", "", nil, callback + "?a&code=c&" + iss},
		{"query of an app's scheme", "query", "app.example:/cb", "", nil, "app.example:/cb?code=c&" + iss},
		{"fragment", "fragment", callback + "?a=b", "s", nil, callback + "?a=b#code=c&state=s&" + iss},
		{"form_post", "form_post", callback + "?a=b", "s", nil, callback + "?a=b"},
		{"a state that would break out", "query", callback, "&<>\"'+\r\n\u00e9 #", nil, callback + "?code=c&state=%26%3C%3E%22%27%2B%0D%0A%C3%A9+%23&" + iss},
		{"an error", "query", callback, "s", oauth.AccessDenied("the subject refused"), callback + "?error=access_denied&error_description=the+subject+refused&state=s&" + iss},
		{"an error without words", "query", callback, "", &oauth.Error{Code: "server_error"}, callback + "?error=server_error&" + iss},
		{"an error with a page", "fragment", callback, "", oauth.Custom("out_of_stock", "", "https://acme.example/why?a=b"),
			callback + "#error=out_of_stock&error_uri=https%3A%2F%2Facme.example%2Fwhy%3Fa%3Db&" + iss},
	} {
		r := &request.Request{ResponseMode: tt.mode, RedirectURI: tt.redirect, State: tt.state}
		resp, err := s.respond(t.Context(), acme, nil, r, Param{"code", "c"})
		if tt.err != nil {
			resp, err = s.respondError(t.Context(), acme, nil, r, tt.err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.URI(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.rule, got, tt.want)
		}
		if resp.Err != tt.err {
			t.Errorf("%s: err %v", tt.rule, resp.Err)
		}
	}
}

// What goes into a response comes out of it, whatever it is, and nothing beside it.
func FuzzResponseURI(f *testing.F) {
	f.Add("&state=x", "query")
	f.Add("a#b", "fragment")
	f.Fuzz(func(t *testing.T, state, mode string) {
		if mode != oauth.ModeFragment {
			mode = oauth.ModeQuery
		}
		resp, err := (&Service{}).respond(t.Context(), &tenant.Tenant{Issuer: "i"}, nil, &request.Request{ResponseMode: mode, RedirectURI: callback, State: state}, Param{"code", "c"})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(resp.URI())
		if err != nil {
			t.Fatal(err)
		}
		raw := u.RawQuery
		if mode == oauth.ModeFragment {
			raw = u.EscapedFragment()
		}
		got, err := url.ParseQuery(raw)
		if err != nil || got.Get("state") != state || got.Get("code") != "c" || got.Get("iss") != "i" || len(got) > 3 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

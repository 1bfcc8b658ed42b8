package request

import (
	"net/url"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

const template = "urn:c2id:redirect_uri_template:https://shop.example/cb/[param]"

func TestWhoAnswersARequestFillsInItsRedirectURI(t *testing.T) {
	const filled = "https://shop.example/cb/one"
	s, _, x := pushing()
	x.Clients.(registry)["template"] = client("template", tenant.Metadata{RedirectURIs: []string{template}})
	asked := func(pairs ...string) url.Values {
		v := url.Values{"client_id": {"template"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"}, "redirect_uri": {template}}
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	pushed := func() url.Values {
		r, err := s.Push(t.Context(), x, x.Clients.(registry)["template"], asked(), oauth.Confirmation{}, "")
		if err != nil {
			t.Fatal(err)
		}
		return url.Values{"client_id": {"template"}, "request_uri": {r.RequestURI}}
	}
	for _, c := range []struct {
		rule   string
		params url.Values
		f      Filling
		want   string // the redirect URI; empty: nobody is redirected
		code   string // of an error
		sent   bool
	}{
		{"a request", asked(), Filling{Param: "one"}, filled, "", true},
		{"one that does not say where to", asked("redirect_uri", "", "scope", "a"), Filling{Param: "one"}, filled, "", false},
		{"one that was pushed", pushed(), Filling{Param: "one"}, filled, "", true},
		{"an early error", asked("response_type", "none"), Filling{Param: "one"}, filled, "unsupported_response_type", true},
		{"a parameter that does not fit", asked(), Filling{Param: "../evil"}, "", "invalid_request", true},
		{"a pushed request with one", pushed(), Filling{Param: "a/b"}, "", "invalid_request", true},
		{"nothing", asked(), Filling{}, "", "invalid_request", true},
		{"an early error with nothing", asked("response_type", "none"), Filling{}, "", "invalid_request", true},
		{"what a login UI will fill in", asked(), Filling{Later: true}, template, "", true},
	} {
		r, _, err := s.ValidateFilled(t.Context(), x, Authorize, c.params, c.f)
		code := ""
		if err != nil {
			code = oauth.ErrorOf(err).Code
		}
		switch {
		case code != c.code:
			t.Errorf("%s: %v", c.rule, err)
		case r == nil && c.want != "", r != nil && (r.RedirectURI != c.want || r.RedirectSent != c.sent):
			t.Errorf("%s: %+v", c.rule, r)
		}
	}
}

func TestASignedRequestNamesATemplate(t *testing.T) {
	d := newDesk(t)
	d.app.RedirectURIs = []string{template}
	object := d.sign(t, "oauth-authz-req+jwt", claims("redirect_uri", template))
	for f, want := range map[Filling]string{{Param: "one"}: "https://shop.example/cb/one", {}: "", {Param: "a/b"}: ""} {
		r, _, err := d.ValidateFilled(t.Context(), d.x, Authorize, url.Values{"client_id": {"app"}, "request": {object}}, f)
		if (err == nil) != (want != "") || r == nil && want != "" || r != nil && r.RedirectURI != want {
			t.Errorf("filled in with %+v: %+v, %v", f, r, err)
		}
	}
}

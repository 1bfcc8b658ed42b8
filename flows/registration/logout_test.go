package registration

import (
	"errors"
	"strings"
	"testing"
)

func TestLogoutURIs(t *testing.T) {
	const redirects = `"redirect_uris": ["https://app.example/cb", "http://127.0.0.1:8765/cb"]`
	for _, c := range []struct {
		rule, members string
		want          string
	}{
		{"a client is told behind its back", `"backchannel_logout_uri": "https://app.example/logout?a=b", "backchannel_logout_session_required": true`, ""},
		{"at any host", `"backchannel_logout_uri": "https://other.example/logout"`, ""},
		{"that may be called", `"backchannel_logout_uri": "https://10.0.0.1/logout"`, badMeta},
		{"in clear it is not", `"backchannel_logout_uri": "ftp://app.example/logout"`, badMeta},
		{"nor with a fragment", `"backchannel_logout_uri": "https://app.example/logout#f"`, badMeta},
		{"or in the browser", `"frontchannel_logout_uri": "https://app.example/out?a=b", "frontchannel_logout_session_required": true`, ""},
		{"at the host of a redirect URI, its port left out or not", `"frontchannel_logout_uri": "https://app.example:443/out"`, ""},
		{"at one on this machine", `"frontchannel_logout_uri": "http://127.0.0.1:8765/out"`, ""},
		{"not at another host", `"frontchannel_logout_uri": "https://other.example/out"`, badMeta},
		{"nor at another port", `"frontchannel_logout_uri": "https://app.example:444/out"`, badMeta},
		{"nor by another scheme", `"frontchannel_logout_uri": "http://app.example/out"`, badMeta},
		{"nor one that is active", `"frontchannel_logout_uri": "javascript:alert(1)"`, badMeta},
		{"a native application by a scheme of its own", `"application_type": "native", "redirect_uris": ["com.example.app:/cb"], "frontchannel_logout_uri": "com.example.app:/out"`, ""},
		{"not by another's", `"application_type": "native", "redirect_uris": ["com.example.app:/cb"], "frontchannel_logout_uri": "com.example.other:/out"`, badMeta},
		{"nor with a fragment", `"application_type": "native", "redirect_uris": ["com.example.app:/cb"], "frontchannel_logout_uri": "com.example.app:/out#x"`, badMeta},
		{"nor a web application", `"frontchannel_logout_uri": "com.example.app:/out"`, badMeta},
		{"flags are flags", `"backchannel_logout_session_required": "yes"`, badMeta},
	} {
		s, acme, m := house(t)
		s.Permits = func(uri string) error {
			if uri == "https://10.0.0.1/logout" || uri == "ftp://app.example/logout" {
				return errors.New("not permitted")
			}
			return nil
		}
		members := c.members
		if !strings.Contains(members, "redirect_uris") {
			members = redirects + ", " + members
		}
		r, err := Parse([]byte("{" + members + "}"))
		if err == nil {
			r.By = Master("admin", "")
			_, err = s.Register(t.Context(), acme, r)
		}
		if got := said(err); got != c.want {
			t.Errorf("%s: got %q %v, want %q", c.rule, got, err, c.want)
		}
		if (c.want == "") != (len(m.clients) == 1) {
			t.Errorf("%s: %d clients", c.rule, len(m.clients))
		}
	}
}

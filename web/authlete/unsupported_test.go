package authlete

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// What is not supported says so, whatever it is sent, to whoever may call it; and the documentation lists it.
func TestWhatIsNotSupported(t *testing.T) {
	page, err := os.ReadFile("../../docs/dialects/authlete.md")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, w *world) {
		for _, u := range unsupported {
			path := strings.ReplaceAll(u.path, ":handle", "x")
			for _, body := range []string{"", "{}", `{"accessToken":1}`} {
				if u.method == http.MethodGet && body != "" {
					continue
				}
				rec := w.call(u.method, w.api("acme", path), body, nil)
				var got m
				if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != http.StatusOK || got["resultCode"] != unsupportedCode || got["action"] != string(u.action) {
					t.Errorf("%s %s: %d %s", u.method, path, rec.Code, rec.Body)
				}
			}
			if rec := w.call(u.method, w.api("acme", path), "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }); rec.Code != http.StatusUnauthorized {
				t.Errorf("%s %s, without credentials: %d", u.method, path, rec.Code)
			}
			if listed := strings.ReplaceAll(u.path, ":handle", "{handle}"); !strings.Contains(string(page), "`"+u.method+" "+listed+"`") {
				t.Errorf("the documentation does not list %s %s", u.method, listed)
			}
		}
	})
}

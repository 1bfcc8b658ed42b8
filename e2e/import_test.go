package e2e

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Users who were kept elsewhere are brought by the API and on the command line, all of them or none (S203), and sign in
// with the passwords that they had there.
func TestImportedUsers(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "client_name": "Shop"})
		var salt [16]byte
		_, _ = rand.Read(salt[:])
		const password = "kept elsewhere till now"
		sum, err := pbkdf2.Key(sha256.New, password, salt[:], 10_000, 32)
		if err != nil {
			t.Fatal(err)
		}
		text := base64.RawStdEncoding.EncodeToString
		hash := fmt.Sprintf("$pbkdf2-sha256$i=10000,l=32$%s$%s", text(salt[:]), text(sum))
		bring := func(key string, users ...map[string]any) reply {
			t.Helper()
			return call(t, http.MethodPost, s.url+"/admin/v1/tenants/"+x.TenantID+"/users/import", bearer(s.adminToken), header("Idempotency-Key", key),
				object(map[string]any{"users": users}))
		}
		signIn := func(name string) {
			t.Helper()
			as := *x
			as.User = &user{Username: name, Password: password}
			for range 2 { // the second time with a hash of ours
				at := newVisitor(t).signIn(t, &as, x.url("/authorize?"+c.request("scope", "openid").Encode()))
				if at.Query().Get("code") == "" {
					t.Errorf("%s comes back with %s", name, at)
				}
			}
		}

		ivy := map[string]any{"username": "ivy", "password_hash": hash, "claims": map[string]any{"email": "ivy@example.com"}}
		first, again := bring("one", ivy), bring("one", ivy)
		first.want(t, "201")
		if again.want(t, "201"); !bytes.Equal(first.body, again.body) {
			t.Errorf("%s, then %s", first.body, again.body)
		}
		signIn("ivy")

		bad := bring("two", map[string]any{"username": "jack"}, map[string]any{"username": "IVY"},
			map[string]any{"username": "kim", "password_hash": strings.Replace(hash, "i=10000", "i=999999999", 1)},
			map[string]any{"username": "lea", "sub": "chosen"})
		bad.want(t, "400 invalid_request")
		if !strings.Contains(string(bad.body), "#/users/3/sub") {
			t.Errorf("S203 an internal member: %s", bad.body)
		}
		bad = bring("two", map[string]any{"username": "jack"}, map[string]any{"username": "IVY"},
			map[string]any{"username": "kim", "password_hash": strings.Replace(hash, "i=10000", "i=999999999", 1)})
		if bad.want(t, "400 invalid_request"); !strings.Contains(string(bad.body), "#/users/1/username") || !strings.Contains(string(bad.body), "#/users/2/password_hash") {
			t.Errorf("not all that is wrong: %s", bad.body)
		}

		file := filepath.Join(t.TempDir(), "users.json")
		b, err := json.Marshal(map[string]any{"users": []map[string]any{{"username": "jack", "password_hash": hash}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := s.run("user", "import", x.TenantID, file); err != nil || !strings.Contains(out, "jack") {
			t.Errorf("%s %v", out, err)
		}
		signIn("jack")
		if out, err := s.run("user", "import", x.TenantID, file); err == nil {
			t.Errorf("a second time: %s", out)
		}
	})
}

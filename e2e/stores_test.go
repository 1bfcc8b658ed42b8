package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// A tenant's backend looks after sessions, consent and keys, and the operator reads the metrics of it.
func TestStoresOfABackend(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		sid := ""
		for _, c := range []struct {
			method, path string
			parts        []part
			status       int
			body         string
		}{
			{"POST", "/session-store/rest/v2/sessions", []part{object(map[string]string{"sub": "alice"})}, 201, ""},
			{"GET", "/session-store/rest/v2/sessions/count", nil, 200, "1"},
			{"GET", "/session-store/rest/v2/subjects", nil, 200, `["alice"]`},
			{"PUT", "/session-store/rest/v2/sessions/subject-auth", []part{object(map[string]string{"acr": "loa2"})}, 204, ""},
			{"GET", "/session-store/rest/v2/sessions", nil, 200, `"acr":"loa2"`},
			{"POST", "/session-store/rest/v2/purge", nil, 204, ""},
			{"POST", "/authz-store/rest/v3/authorizations", []part{object(map[string]any{"sub": "alice", "cid": x.Client.ID, "scp": []string{"read"}})}, 200, `"code"`},
			{"PUT", "/authz-store/rest/v3/authorizations", []part{object(map[string]any{"sub": "alice", "cid": x.Client.ID, "scp": []string{"write"}})}, 204, ""},
			{"GET", "/authz-store/rest/v3/authorizations?subject=alice", nil, 200, `"scs":["write"]`},
			{"GET", "/authz-store/rest/v3/clients/count", nil, 200, "1"},
			{"POST", "/key-store/rest/v1/op/generate", nil, 200, `"alg":"EdDSA"`},
		} {
			parts := c.parts
			if sid != "" {
				parts = append(parts, header("SID", sid))
			}
			r := x.api(t, c.method, c.path, parts...)
			if r.StatusCode != c.status || !strings.Contains(string(r.body), c.body) {
				t.Fatalf("%s %s: %d %s", c.method, c.path, r.StatusCode, r.body)
			}
			if sid == "" {
				sid = r.Header.Get("SID")
			}
		}
		r := call(t, http.MethodGet, s.url+"/monitor/v1/metrics", bearer(s.adminToken))
		if r.StatusCode != http.StatusOK || !strings.Contains(string(r.body), `"tokenEndpoint.code.successfulRequests"`) {
			t.Errorf("metrics: %d %.200s", r.StatusCode, r.body)
		}
	})
}

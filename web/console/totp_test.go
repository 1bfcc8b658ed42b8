package console_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// carried is the code that an authenticator app shows at that time (RFC 6238 §4, RFC 4226 §5.3).
func carried(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// A user's second factor is enrolled, confirmed, shown and reset; none of its secrets is recorded or shown again.
func TestTOTPOfAUser(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	user := h.call("POST", "/admin/v1/tenants/acme/users", `{"username": "tim", "password": "a long enough sentence"}`).json(t)["sub"].(string)
	at := "/admin/v1/tenants/acme/users/" + user + "/totp"
	calls := func(method, path, body string, status int) answer {
		t.Helper()
		a := h.call(method, path, body)
		if a.status != status {
			t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
		}
		return a
	}
	if s := calls("GET", at, "", http.StatusOK).json(t); s["state"] != "none" {
		t.Errorf("at first: %v", s)
	}
	made := calls("POST", at, "", http.StatusCreated).json(t)
	secret := made["secret"].(string)
	if !strings.Contains(made["otpauth_uri"].(string), "secret="+secret) || len(secret) != 32 {
		t.Errorf("%v", made)
	}
	if s := calls("GET", at, "", http.StatusOK).json(t); s["state"] != "enrolled" {
		t.Errorf("before it is confirmed: %v", s)
	}
	if a := calls("POST", at+"/confirm", `{"code": "00000"}`, http.StatusBadRequest); !strings.Contains(string(a.body), "#/code") {
		t.Errorf("a wrong code: %s", a.body)
	}
	code := carried(t, secret, time.Now())
	recovery := calls("POST", at+"/confirm", `{"code": "`+code+`"}`, http.StatusOK).json(t)["recovery_codes"].([]any)
	if len(recovery) != 10 {
		t.Errorf("%v", recovery)
	}
	calls("POST", at, "", http.StatusConflict)
	if s := calls("GET", at, "", http.StatusOK).json(t); s["state"] != "confirmed" || s["recovery_codes_left"] != 10.0 {
		t.Errorf("then: %v", s)
	}
	events := string(calls("GET", "/admin/v1/tenants/acme/events?sub="+user, "", http.StatusOK).body)
	for _, change := range []string{"totp_enrolled", "totp_confirmed"} {
		if !strings.Contains(events, change) {
			t.Errorf("%s is not recorded: %s", change, events)
		}
	}
	for _, s := range []string{secret, code, recovery[0].(string)} {
		if strings.Contains(events, s) {
			t.Errorf("%q is recorded", s)
		}
	}
	calls("DELETE", at, "", http.StatusNoContent)
	calls("DELETE", at, "", http.StatusNotFound)
	calls("POST", "/admin/v1/tenants/acme/users/nobody/totp", "", http.StatusNotFound)
}

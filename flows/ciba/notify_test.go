package ciba

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/tenant/outbound"
)

const (
	notifyAt  = "https://bank.example/ciba"
	notifyKey = "8d67dc78-7faa-4d41-aabd-67707b374255"
)

// notified is a world where the client is told in that mode.
func notified(t *testing.T, mode string) *world {
	t.Helper()
	w := newWorld(t, func(s *tenant.Settings) { s.CIBA.Push = true })
	k, err := keys.Generate(keys.ES256, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	w.tenant.Keys, w.tenant.Settings.Tokens.AccessTokenAlg, w.tenant.Settings.Tokens.IDTokenAlg = keys.NewSet([]keys.Key{k}), "ES256", "ES256"
	w.bank.BackchannelMode, w.bank.NotificationEndpoint = mode, notifyAt
	return w
}

func TestAClientIsToldOfAnAnswer(t *testing.T) {
	yes, no := decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"}, decoupled.Completion{Result: decoupled.AccessDenied}
	for _, tt := range []struct {
		rule, mode string
		answer     decoupled.Completion
		body       string // with {id} for the auth_req_id; empty: nothing is sent
	}{
		{"one that polls finds out", oauth.Poll, yes, ""},
		{"one is pinged that there is an answer", oauth.Ping, yes, `{"auth_req_id":"{id}"}`},
		{"also where it is no", oauth.Ping, no, `{"auth_req_id":"{id}"}`},
		{"one that tokens are pushed to is told why there are none", oauth.Push, no, `{"auth_req_id":"{id}","error":"access_denied","error_description":"the user denied the request"}`},
		{"or that there will be none", oauth.Push, decoupled.Completion{Result: decoupled.TransactionFailed}, `{"auth_req_id":"{id}","error":"expired_token","error_description":"the user could not be asked"}`},
	} {
		w := notified(t, tt.mode)
		ack := w.authenticate("client_notification_token=" + notifyKey)
		id := w.only().ID
		if kept := w.only().Request.Backchannel; strings.Contains(kept.Notification, notifyKey) || kept.NotificationToken != "" {
			t.Errorf("%s: the token is stored: %+v", tt.rule, kept)
		}
		if err := w.complete(tt.answer); err != nil {
			t.Fatal(err)
		}
		var want []outbox.Message
		if tt.body != "" {
			want = []outbox.Message{{Kind: outbox.CIBA, Target: notifyAt, Object: id, CreatedAt: noon, EndsAt: noon.Add(10 * time.Minute),
				Content: outbound.Content{Type: "application/json", Authorization: "Bearer " + notifyKey, Body: []byte(strings.ReplaceAll(tt.body, "{id}", ack.AuthReqID))}}}
		}
		for i := range w.store.owed {
			if len(w.store.owed[i].ID) != 22 {
				t.Errorf("%s: its id is %q", tt.rule, w.store.owed[i].ID)
			}
			w.store.owed[i].ID = ""
		}
		if d := cmp.Diff(want, w.store.owed); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.rule, d)
		}
		if _, err := w.Poll(context.Background(), w.tenant, w.bank, ack.AuthReqID); (err == nil) != (tt.answer.Result == decoupled.Authorized) {
			t.Errorf("%s: a poll gets %v", tt.rule, err)
		}
		if (ack.Interval == 0) != (tt.mode == oauth.Push) {
			t.Errorf("%s: the interval is %v", tt.rule, ack.Interval)
		}
	}
}

// half is the left half of a token's hash (OIDC Core §3.1.3.6).
func half(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func TestTokensArePushed(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		refresh bool
		opaque  bool
	}{
		{"with a refresh token", true, false},
		{"without one", false, false},
		{"an opaque one is recorded", true, true},
	} {
		w := notified(t, oauth.Push)
		w.tenant.Settings.Tokens.AccessTokenOpaque = tt.opaque
		if !tt.refresh {
			w.bank.GrantTypes = []string{oauth.CIBA}
		}
		ack := w.authenticate("client_notification_token=" + notifyKey)
		if err := w.complete(decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"}); err != nil {
			t.Fatal(err)
		}
		if len(w.store.owed) != 1 || !w.store.owed[0].EndsAt.Equal(noon.Add(time.Hour)) {
			t.Fatalf("%s: owed are %+v", tt.rule, w.store.owed)
		}
		var body map[string]any
		if err := json.Unmarshal(w.store.owed[0].Content.Body, &body); err != nil {
			t.Fatal(err)
		}
		access, refresh := str(body["access_token"]), str(body["refresh_token"])
		if body["auth_req_id"] != ack.AuthReqID || access == "" || body["token_type"] != "Bearer" || body["expires_in"] != 600.0 || (refresh != "") != tt.refresh {
			t.Errorf("%s: pushed is %v", tt.rule, body)
		}
		payload, err := w.tenant.Keys.Verify(noon, grant.IDTokenType, str(body["id_token"]))
		if err != nil {
			t.Fatal(err)
		}
		var claims map[string]any
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatal(err)
		}
		hash, has := claims["urn:openid:params:jwt:claim:rt_hash"]
		if claims["urn:openid:params:jwt:claim:auth_req_id"] != ack.AuthReqID || claims["at_hash"] != half(access) || has != tt.refresh || has && hash != half(refresh) {
			t.Errorf("%s: the ID token says %v", tt.rule, claims)
		}
		id := w.only().ID
		g := w.store.grants[id]
		if g.Code.RedeemedAt != noon || (g.Refresh != nil) != tt.refresh || (w.store.opaque != nil) != tt.opaque {
			t.Errorf("%s: recorded is %+v, opaque %v", tt.rule, g, w.store.opaque)
		}
		w.says("what is pushed is redeemed", w.Redeem(context.Background(), w.tenant, grant.Redemption{Grant: id}), "invalid_grant: auth_req_id is invalid or already used")
	}
}

func str(v any) string { s, _ := v.(string); return s }

func TestNotificationTokens(t *testing.T) {
	const missing, wrong = "invalid_request: client_notification_token is missing", "invalid_request: client_notification_token must be a bearer token of 21 to 1024 characters"
	for _, tt := range []struct {
		rule, mode, token string
		change            func(w *world)
		err               string
	}{
		{"who polls needs none", oauth.Poll, "", nil, ""},
		{"nor does it matter what it sends", oauth.Poll, strings.Repeat("x", 2000), nil, ""},
		{"who is pinged needs one", oauth.Ping, "", nil, missing},
		{"who is pushed to as well", oauth.Push, "", nil, missing},
		{"of 128 bits", oauth.Ping, strings.Repeat("x", 20), nil, wrong},
		{"that is not endless", oauth.Ping, strings.Repeat("x", 1025), nil, wrong},
		{"and may be long", oauth.Ping, strings.Repeat("x", 1024), nil, ""},
		{"in the characters of a bearer token", oauth.Ping, "abcdefghijklmnopqrst\r\nX: y", nil, wrong},
		{"all of them", oauth.Ping, "abcDEF012-._~%2B/abcDEF0==", nil, ""},
		{"push may be off", oauth.Push, notifyKey, func(w *world) { w.tenant.Settings.CIBA.Push = false },
			"unauthorized_client: the client has registered no backchannel_token_delivery_mode that is supported"},
		{"bound tokens are not pushed", oauth.Push, notifyKey, func(w *world) { w.bank.DPoPBound = true }, "unauthorized_client: tokens that are bound to a key cannot be pushed"},
		{"not to a certificate either", oauth.Push, notifyKey, func(w *world) { w.bank.CertificateBound = true }, "unauthorized_client: tokens that are bound to a key cannot be pushed"},
	} {
		w := notified(t, tt.mode)
		if tt.change != nil {
			tt.change(w)
		}
		_, err := w.Authenticate(context.Background(), w.tenant, w.bank, params("client_notification_token="+tt.token))
		w.says(tt.rule, err, tt.err)
	}
}

func TestConclude(t *testing.T) {
	w := notified(t, oauth.Ping)
	ack := w.authenticate("client_notification_token=" + notifyKey)
	done, err := w.Conclude(context.Background(), w.tenant, w.only(), decoupled.Completion{Result: decoupled.Authorized, Subject: "sub-alice"})
	if err != nil || done.Grant == nil {
		t.Fatal(done, err)
	}
	n := done.Notification
	if len(w.store.owed) != 0 || n.Endpoint != notifyAt || n.Token != notifyKey || string(n.Body) != `{"auth_req_id":"`+ack.AuthReqID+`"}` || n.Tokens != nil {
		t.Errorf("%+v, %v; owed are %v", n, err, w.store.owed)
	}
	if _, err = w.Conclude(context.Background(), w.tenant, w.only(), decoupled.Completion{Result: decoupled.AccessDenied}); err != decoupled.ErrConflict {
		t.Errorf("once more: %v", err)
	}
}

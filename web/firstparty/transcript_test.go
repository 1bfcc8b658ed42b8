package firstparty

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/web/transcript"
)

// A transcript (package transcript) is what an app sends and what it gets. The header "Client: ID SECRET" is HTTP Basic. What the
// test does meanwhile: "@settings JSON" (a merge patch), "@clock DURATION", "@otp CODE" (from here on the step is that of codes
// for one use), "@secure USER" (who has a TOTP from here on), "@code $name" (the next code of that, or the last that was sent),
// "@idtoken TOKEN" and then its claims. An object that has a member "..." may have others besides.
func TestTranscripts(t *testing.T) {
	transcript.Each(t, func(t *testing.T, steps []*transcript.Step) {
		each(t, func(t *testing.T, w *world) {
			p := &transcript.Player{Call: w.say, Move: func(d time.Duration) { w.move(t, d) }, More: "...", Headers: map[string]string{"Cache-Control": "no-store",
				"Set-Cookie": "", "Access-Control-Allow-Origin": "", "Www-Authenticate": "", "Retry-After": ""}}
			p.Does = map[string]func(*testing.T, *transcript.Step){
				"settings": func(t *testing.T, s *transcript.Step) { w.set(t, s.Rest+s.Body) },
				"otp":      func(_ *testing.T, s *transcript.Step) { w.challenge.Decider = oneTime(s.Rest) },
				"secure":   func(t *testing.T, s *transcript.Step) { w.secure(t, s.Rest) },
				"code":     func(t *testing.T, s *transcript.Step) { p.Keep(s.Rest, w.newCode(t)) },
				"idtoken": func(t *testing.T, s *transcript.Step) {
					segments := strings.Split(p.Fill(s.Rest), ".")
					payload, err := base64.RawURLEncoding.DecodeString(segments[min(1, len(segments)-1)])
					if err != nil {
						t.Fatalf("line %d: %v", s.Line, err)
					}
					p.Compare(t, s, string(payload), s.Body)
				},
			}
			p.Play(t, steps, map[string]string{
				"$acme": string(w.acme.TenantID), "$token": w.acme.APIToken, "$globex": string(w.globex.TenantID), "$globex_token": w.globex.APIToken,
				"$starter": w.acme.Client.ID, "$starter_secret": w.acme.Client.Secret})
		})
	})
}

// say makes a request of an app: a form, whose lines are one, unless the body is JSON.
func (w *world) say(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	typ := "application/json"
	if !strings.HasPrefix(body, "{") {
		typ, body = "application/x-www-form-urlencoded", strings.ReplaceAll(body, "\n", "")
	}
	return w.call(method, path, body, func(r *http.Request) {
		r.Header.Set("Content-Type", typ)
		change(r)
		if client := r.Header.Get("Client"); client != "" {
			r.Header.Del("Client")
			id, secret, _ := strings.Cut(client, " ")
			r.SetBasicAuth(id, secret)
		}
	})
}

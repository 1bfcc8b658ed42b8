package authlete

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/transcript"
)

// A transcript (package transcript) is what an authorization server sends and what it gets. What the test does meanwhile:
// "@settings JSON", "@clock DURATION", "@claims $jwt JSON", which are those of a JWT, "@proof $name METHOD URL", which makes a
// DPoP proof, with the claims after it: nonce=$nonce, ath=$token. $acme and $globex are service numbers, $app and $browser
// numbers of clients of acme, and $issuer is acme's. Where an answer holds a string and an object is expected, the string holds
// the object in JSON. A member "…" of an object stands for any further ones.
func TestTranscripts(t *testing.T) {
	transcript.Each(t, func(t *testing.T, steps []*transcript.Step) {
		each(t, func(t *testing.T, w *world) {
			p := &transcript.Player{Call: w.call, Move: w.move, More: "…", Nested: true, Headers: map[string]string{"Cache-Control": "no-store", "Location": "", "Set-Cookie": ""}}
			p.Does = map[string]func(*testing.T, *transcript.Step){
				"settings": func(t *testing.T, s *transcript.Step) {
					set := new(tenant.Settings)
					if err := json.Unmarshal([]byte(s.Rest+s.Body), set); err != nil {
						t.Fatalf("line %d: %v", s.Line, err)
					}
					w.set(t, *set)
				},
				"proof": func(t *testing.T, s *transcript.Step) {
					name, rest, _ := strings.Cut(s.Rest, " ")
					words := strings.Fields(p.Fill(rest))
					p.Keep(name, w.prove(t, words[0], words[1], words[2:]...))
				},
				"claims": func(t *testing.T, s *transcript.Step) {
					jwt, rest, _ := strings.Cut(s.Rest, " ")
					_, payload, _ := strings.Cut(p.Fill(jwt), ".")
					payload, _, _ = strings.Cut(payload, ".")
					b, err := base64.RawURLEncoding.DecodeString(payload)
					if err != nil {
						t.Fatalf("line %d: %q: %v", s.Line, p.Fill(jwt), err)
					}
					p.Compare(t, s, string(b), rest+s.Body)
				},
			}
			p.Play(t, steps, w.known(t))
		})
	})
}

// known are the values that a transcript knows from the beginning.
func (w *world) known(t *testing.T) map[string]string {
	t.Helper()
	acme := w.tenants["acme"]
	vars := map[string]string{"$acme": strconv.FormatInt(acme.ServiceID, 10), "$globex": strconv.FormatInt(w.tenants["globex"].ServiceID, 10),
		"$issuer": acme.Issuer, "$encoded_issuer": url.QueryEscape(acme.Issuer),
		"$basic": base64.StdEncoding.EncodeToString([]byte(strconv.FormatInt(acme.ServiceID, 10) + ":chy_acme_api"))}
	for _, id := range []string{"app", "browser"} {
		c, err := acme.Clients.Client(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		vars["$"+id] = strconv.FormatInt(c.Number, 10)
	}
	return vars
}

package connect2id

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/transcript"
)

// A transcript (package transcript) is what a login UI sends and what it gets. What the test does meanwhile: "@settings JSON",
// "@clock DURATION", "@account JSON" (sub, claims, disabled), "@grant CODE", and then the grant behind it, "@jwt TYPE TOKEN",
// and then its payload, "@hook STATUS", and then how a hook answers from now on, "@asked", and then the data of what a hook was
// asked last. An object with a member "*" may have others too.
func TestTranscripts(t *testing.T) {
	transcript.Each(t, func(t *testing.T, steps []*transcript.Step) {
		each(t, func(t *testing.T, w *world) {
			p := &transcript.Player{Call: w.call, Move: w.move, More: "*",
				Headers: map[string]string{"Cache-Control": "no-store", "Location": "", "Subject-Session-Id": "", "Set-Cookie": ""}}
			p.Does = map[string]func(*testing.T, *transcript.Step){
				"settings": func(t *testing.T, s *transcript.Step) {
					set := new(tenant.Settings)
					if err := json.Unmarshal([]byte(s.Rest+s.Body), set); err != nil {
						t.Fatalf("line %d: %v", s.Line, err)
					}
					*w.tenants["acme"].Settings = *set
				},
				"account": func(t *testing.T, s *transcript.Step) {
					var a struct {
						Sub      string
						Claims   map[string]json.RawMessage
						Disabled bool
					}
					if err := json.Unmarshal([]byte(s.Rest+s.Body), &a); err != nil {
						t.Fatalf("line %d: %v", s.Line, err)
					}
					if err := w.db.CreateAccount(t.Context(), w.tenants["acme"].ID, account.Account{Subject: a.Sub, Username: a.Sub, Claims: a.Claims, Disabled: a.Disabled,
						CreatedAt: w.clock(), UpdatedAt: w.clock()}, audit.Event{}); err != nil {
						t.Fatalf("line %d: %v", s.Line, err)
					}
				},
				"hook": func(t *testing.T, s *transcript.Step) {
					status, err := strconv.Atoi(s.Rest)
					if err != nil {
						t.Fatalf("line %d: %v", s.Line, err)
					}
					w.site.status, w.site.answer, w.site.asked = status, s.Body, []byte(`{"data":"nothing was asked"}`)
				},
				"asked": func(t *testing.T, s *transcript.Step) {
					var ev struct{ Data json.RawMessage }
					if err := json.Unmarshal(w.site.asked, &ev); err != nil {
						t.Fatalf("line %d: %v", s.Line, err)
					}
					p.Compare(t, s, string(ev.Data), s.Body)
				},
				"jwt": func(t *testing.T, s *transcript.Step) {
					typ, token, _ := strings.Cut(s.Rest, " ")
					b, err := w.payload(typ, p.Fill(token))
					if err != nil {
						t.Fatalf("line %d: %v", s.Line, err)
					}
					p.Compare(t, s, string(b), s.Body)
				},
				"grant": func(t *testing.T, s *transcript.Step) {
					g := w.grantOf(t, p.Fill(s.Rest))
					terms, _ := json.Marshal(g.Terms)
					p.Compare(t, s, fmt.Sprintf(`{"subject":%q,"actor":%q,"client":%q,"terms":%s}`, g.Subject, g.Actor, g.ClientID, terms), s.Body)
				},
			}
			p.Play(t, steps, nil)
		})
	})
}

// payload returns what a JWT of acme says.
func (w *world) payload(typ, token string) ([]byte, error) {
	ten := w.tenants["acme"]
	if strings.Count(token, ".") == 4 {
		signed, err := ten.Secret.Decrypt("access token encryption", typ, token)
		if err != nil {
			return nil, err
		}
		token = signed
	}
	return ten.Keys.Verify(w.clock(), typ, token)
}

package login

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// consent is the content of the consent page.
type consent struct {
	Client    string
	Initial   string
	Unchecked bool // nobody vouches for the client
	Who       person
	New       []item
	Had       []item // granted before
	Policy    string // address of the client's policy; empty: none
	Terms     string
	Return    string // host that the browser returns to; empty: an app on the same device
}

// item is one thing that is asked for.
type item struct {
	Text   string
	Code   string // its name, where we have no words for it
	Detail string
}

// showConsent asks to grant what p asks.
func (u *UI) showConsent(c *gin.Context, t *tenant.Tenant, p *authorize.Pending, binding string) error {
	pg := u.pageOf(c, t, p, binding)
	in, err := u.consentOf(c, t, pg, p.Client, p.Session.Subject, p.Request, p.Asked)
	if err != nil {
		return err
	}
	in.Return = returnHost(p.Request.RedirectURI)
	pg.Title = pg.Plain("consent.title", in.Client)
	pg.Body = in
	render(c, http.StatusOK, "consent", pg, "form-action "+formAction(p.Request.RedirectURI))
	return nil
}

// consentOf is what client asks of the subject.
func (u *UI) consentOf(c *gin.Context, t *tenant.Tenant, pg *page, client *tenant.Client, sub string, r *request.Request, asked authorize.Asked) (in consent, err error) {
	in = pg.consentTo(t, client, r, asked)
	in.Who, err = u.person(c, t, sub)
	return in, err
}

// consentTo is what client asks of anybody.
func (p *page) consentTo(t *tenant.Tenant, client *tenant.Client, r *request.Request, asked authorize.Asked) consent {
	in := consent{Client: p.clientName(client), Unchecked: client.SelfRegistered, Policy: link(p.localized(client, "policy_uri", client.PolicyURI)),
		Terms: link(p.localized(client, "tos_uri", client.TOSURI)), New: p.items(t.Settings, asked.NewScope, asked.New),
		Had: p.items(t.Settings, asked.ConsentedScope, asked.Consented)}
	in.New = append(in.New, p.purposes(r)...)
	in.New = append(in.New, p.details(r.Details)...)
	in.Initial = initial(in.Client)
	return in
}

// items words scope values and claims: each value with the claims it stands for, then the claims that are left.
func (p *page) items(s *tenant.Settings, scope oauth.Scope, claims authorize.Names) []item {
	var is []item
	covered := map[string]bool{}
	for _, v := range scope {
		own := s.Authorization.ClaimsOfScope[v]
		for _, name := range slices.Concat(oauth.ScopeClaims(v), own) {
			covered[name] = true
		}
		i := item{Text: p.words["scope."+v], Detail: p.words["scope."+v+".detail"]}
		if text := s.Authorization.ScopeDetails[v].In(append(slices.Clone(p.locales), p.Tag)...); text != "" {
			i.Text, i.Detail = text, p.claims(own)
		}
		if i.Text == "" {
			i = item{Text: p.words["scope"], Code: v, Detail: p.claims(own)}
		}
		is = append(is, i)
	}
	for _, name := range slices.Concat(claims.Essential, claims.Voluntary) {
		if covered[name] {
			continue
		}
		is = append(is, p.claim(name))
	}
	return is
}

// claim words one claim.
func (p *page) claim(name string) item {
	verified, isVerified := strings.CutPrefix(name, tenant.Verified)
	switch text := p.words["claim."+name]; {
	case isVerified:
		return item{Text: p.words["verified"], Code: verified}
	case text != "":
		return item{Text: text}
	}
	return item{Text: p.words["claim"], Code: name}
}

// purposes says what r is for, in its client's words, which are told whatever was granted before.
func (p *page) purposes(r *request.Request) []item {
	var is []item
	if r.Purpose != "" {
		is = append(is, item{Text: p.words["purpose"], Detail: visible(r.Purpose)})
	}
	of := authorize.Purposes(r)
	for _, name := range slices.Sorted(maps.Keys(of)) {
		i := p.claim(name)
		i.Detail = visible(of[name])
		is = append(is, i)
	}
	return is
}

// details words authorization details: the type of each, with what it says of it (RFC 9396 §2).
func (p *page) details(d oauth.Details) []item {
	var is []item
	for _, e := range d.Elements() {
		var parts []string
		for _, name := range e.Names() {
			parts = append(parts, visible(name+": "+plain(e.Members[name])))
		}
		is = append(is, item{Text: p.words["details"], Code: e.Type, Detail: strings.Join(parts, "; ")})
	}
	return is
}

// plain writes a JSON value without what only programs need: strings without quotes, and lists of them.
func plain(raw json.RawMessage) string {
	var one string
	var many []string
	switch {
	case json.Unmarshal(raw, &one) == nil:
		return one
	case json.Unmarshal(raw, &many) == nil:
		return strings.Join(many, ", ")
	}
	return string(raw)
}

// visible leaves out what does not show, or turns the direction of others: a client could have a sentence read otherwise
// than it is.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, s)
}

// claims lists claims in words.
func (p *page) claims(names []string) string {
	var words []string
	for _, name := range names {
		text := p.words["claim."+name]
		if text == "" {
			text = name
		}
		words = append(words, text)
	}
	return strings.Join(words, ", ")
}

package login

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

//go:embed pages/*.html
var files embed.FS

// pages are our templates by name, each within the layout.
var pages = func() map[string]*template.Template {
	layout := template.Must(template.ParseFS(files, "pages/layout.html", "pages/agreement.html"))
	m := map[string]*template.Template{}
	for _, name := range []string{"signin", "choose", "consent", "notice", "formpost", "logout", "done", "signedout", "account", "device", "deviceconfirm", "requests", "password", "code", "totp", "recovery"} {
		m[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, "pages/"+name+".html"))
	}
	return m
}()

// page is what every template is given.
type page struct {
	tongue
	Title   string
	Issuer  string       // its path
	Style   string       // path of the style sheet, or
	Inline  template.CSS // the sheet itself, where there is no tenant to serve it
	Icon    string
	Brand   brand
	Script  template.JS // runs at the end; its hash is in the policy
	CSRF    string
	Body    any
	locales []string
}

// brand is whose page it is.
type brand struct {
	Name    string
	Initial string
	Logo    string // path of the picture; empty: none
}

// submit sends the one form of a page.
const submit = template.JS("document.forms[0].submit()")

var submitHash = sourceHash(string(submit))

// sourceHash is how a content security policy names an inline script or style.
func sourceHash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// page begins a page. t is nil where no tenant is known, r where no request is.
func (u *UI) page(c *gin.Context, t *tenant.Tenant, r *request.Request) *page {
	p := &page{}
	if r != nil {
		p.locales = r.UILocales
	}
	p.tongue = speak(p.locales, c.GetHeader("Accept-Language"))
	if t == nil {
		p.Inline = template.CSS(styleSheet(defaultAccent))
		return p
	}
	p.Issuer = base(t)
	accent := accentOf(t.Settings.Color)
	p.Style = p.Issuer + "/login/assets/" + styleName(accent)
	p.Icon = p.Issuer + "/login/assets/" + iconName
	p.Brand = brand{Name: shown(t.Settings.Name, string(t.ID))}
	p.Brand.Initial = initial(p.Brand.Name)
	if t.Settings.Logo != "" {
		p.Brand.Logo = p.Issuer + "/login/logo?v=" + strconv.FormatInt(t.Version, 10)
		p.Icon = p.Brand.Logo
	}
	return p
}

// render writes a page. policy is what its content may do beside being styled.
func render(c *gin.Context, status int, name string, p *page, policy string) {
	var b bytes.Buffer
	if err := pages[name].ExecuteTemplate(&b, "layout", p); err != nil {
		panic(err) // the templates are ours
	}
	style := "style-src 'self'; img-src 'self'; "
	if p.Inline != "" {
		style = "style-src " + sourceHash(string(p.Inline)) + "; "
	}
	contain(c, style+policy)
	c.Header("Content-Language", p.Tag)
	wire.Raw(c, status, "text/html; charset=utf-8", b.Bytes())
}

// handover is the content of the page that posts a response.
type handover struct {
	Action template.URL
	Params []authorize.Param
	Client string
}

// formTarget is a validated redirect URI as the address of a form. One whose scheme is active is left out.
func formTarget(uri string) template.URL {
	parsed, err := url.Parse(uri)
	if err != nil || slices.Contains(activeSchemes, parsed.Scheme) {
		return ""
	}
	return template.URL(uri)
}

// clientName is the name of a client in the language of the page.
func (p *page) clientName(client *tenant.Client) string {
	if client == nil {
		return ""
	}
	name := shown(p.localized(client, "client_name", client.Name), client.ID)
	if u, err := url.Parse(client.ID); client.Document && err == nil && name != client.ID { // whoever else has that name, this is whose it is
		name += " (" + u.Host + ")"
	}
	return name
}

// localized is a member of the client's metadata in a language that the request prefers (RFC 7591 §2.2), or plain.
func (p *page) localized(client *tenant.Client, member, plain string) string {
	for _, locale := range p.locales {
		for ; locale != ""; locale = locale[:max(0, strings.LastIndexByte(locale, '-'))] {
			for key, v := range client.Localized {
				if v != "" && strings.EqualFold(key, member+"#"+locale) {
					return v
				}
			}
		}
	}
	return plain
}

// maxName is how much of a name is shown, in characters.
const maxName = 80

// shown is a name as it may be shown: on one line, not endless, and without characters that turn the direction of the
// text around it. Where nothing remains it is otherwise.
func shown(name, otherwise string) string {
	name = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))), " ")
	if rs := []rune(name); len(rs) > maxName {
		name = string(rs[:maxName-1]) + "…"
	}
	if name == "" && otherwise != "" {
		return shown(otherwise, "")
	}
	return name
}

// initial is the first letter of a name, or nothing.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return ""
}

package authlete

import (
	"html"
	"strings"

	"github.com/chancery-id/chancery/flows/authorize"
)

// page is the page that posts a response to the client by itself (OAuth 2.0 Form Post Response Mode). It has a button for
// where scripts are off, or the authorization server's policy forbids them: browsers show no noscript for the latter.
func page(r *authorize.Response) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html><head><meta charset="utf-8"><title>Continue</title></head>` +
		`<body onload="document.forms[0].submit()"><form method="post" action="` + html.EscapeString(r.URI()) + `">`)
	for _, p := range r.Params {
		b.WriteString(`<input type="hidden" name="` + html.EscapeString(p.Name) + `" value="` + html.EscapeString(p.Value) + `">`)
	}
	b.WriteString(`<button type="submit">Continue</button></form></body></html>`)
	return b.String()
}

package tenant

import (
	"regexp"
	"strings"
)

// RedirectTemplatePrefix begins a redirect URI of which a part is left open until a request is answered.
const RedirectTemplatePrefix = "urn:c2id:redirect_uri_template:"

// placeholder stands for what is left open.
const placeholder = "[param]"

// RedirectTemplate is a redirect URI of which one part is left open: (part of) a segment of its path or of a value of its
// query, or where Host the first label of its host. Whatever is filled in there, scheme and registrable host stay, and so
// does every other part.
type RedirectTemplate struct {
	before, after string
	Host          bool
}

// What may be filled in: nothing that ends a segment or a value, or that is a segment of its own meaning ("." and "..").
var (
	templateParam = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}$`)
	templateLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

// ParseRedirectTemplate reads a template as it is registered. ok is false for what is none, or leaves open what it must not.
func ParseRedirectTemplate(uri string) (t RedirectTemplate, ok bool) {
	rest, is := strings.CutPrefix(uri, RedirectTemplatePrefix)
	if !is || strings.Count(rest, placeholder) != 1 || strings.Contains(rest, "#") {
		return t, false
	}
	t.before, t.after, _ = strings.Cut(rest, placeholder)
	if strings.Contains(t.before[max(0, len(t.before)-2):], "%") { // what is filled in would end an escape
		return t, false
	}
	scheme, authority, hierarchical := strings.Cut(t.before, "://")
	if !hierarchical {
		scheme, authority, hierarchical = strings.Cut(t.before, ":/") // a private-use scheme, as com.example.app:/cb
		authority = "/" + authority
	}
	if !hierarchical || scheme == "" || strings.ContainsAny(scheme, "/?") {
		return t, false
	}
	if authority == "" {
		t.Host = true
		host, _, _ := strings.Cut(strings.TrimPrefix(t.after, "."), "/")
		host, _, _ = strings.Cut(host, "?")
		return t, strings.HasPrefix(t.after, ".") && strings.Contains(host, ".") && !strings.ContainsAny(host, "[]@") // at least two labels are fixed
	}
	if !strings.ContainsAny(authority, "/?") { // the host would be open behind its beginning
		return t, false
	}
	_, query, inQuery := strings.Cut(t.before, "?")
	if inQuery {
		last := query[strings.LastIndexByte(query, '&')+1:]
		name, _, value := strings.Cut(last, "=")
		return t, value && name != ""
	}
	return t, true
}

// With is the redirect URI with param in the open part. ok is false for what may not be there.
func (t RedirectTemplate) With(param string) (uri string, ok bool) {
	form := templateParam
	if t.Host {
		form = templateLabel
	}
	if !form.MatchString(param) {
		return "", false
	}
	return t.before + param + t.after, true
}

// Fits reports whether uri is one that comes of t.
func (t RedirectTemplate) Fits(uri string) bool {
	rest, begins := strings.CutPrefix(uri, t.before)
	param, ends := strings.CutSuffix(rest, t.after)
	_, fits := t.With(param)
	return begins && ends && fits
}

package tenant

import (
	"net/url"
	"strings"
	"testing"
)

func TestRedirectTemplates(t *testing.T) {
	const prefix = RedirectTemplatePrefix
	for _, c := range []struct{ rule, uri, param, want string }{
		{"a segment of the path", prefix + "https://a.example/cb/[param]", "one", "https://a.example/cb/one"},
		{"with more behind it", prefix + "https://a.example/cb/[param]/end?x=1", "one", "https://a.example/cb/one/end?x=1"},
		{"a part of a segment", prefix + "https://a.example/cb-[param].html", "a.b_c~d-1", "https://a.example/cb-a.b_c~d-1.html"},
		{"a value of the query", prefix + "https://a.example/cb?iss=[param]&x=1", "one", "https://a.example/cb?iss=one&x=1"},
		{"of a private-use scheme", prefix + "com.example.app:/cb/[param]", "one", "com.example.app:/cb/one"},
		{"the first label of a host", prefix + "https://[param].example.com/cb", "iss123", "https://iss123.example.com/cb"},

		{"no parameter", prefix + "https://a.example/cb/[param]", "", ""},
		{"one that ends the segment", prefix + "https://a.example/cb/[param]", "a/b", ""},
		{"one that begins a query", prefix + "https://a.example/cb/[param]", "a?b", ""},
		{"one that begins a fragment", prefix + "https://a.example/cb/[param]", "a#b", ""},
		{"an escape", prefix + "https://a.example/cb/[param]", "a%2fb", ""},
		{"a backslash", prefix + "https://a.example/cb/[param]", `a\b`, ""},
		{"the segment before", prefix + "https://a.example/cb/[param]", "..", ""},
		{"the same segment", prefix + "https://a.example/cb/[param]", ".", ""},
		{"a dot where a dot stands before", prefix + "https://a.example/cb/.[param]", ".", ""},
		{"another value", prefix + "https://a.example/cb?iss=[param]", "a&code=b", ""},
		{"a space", prefix + "https://a.example/cb?iss=[param]", "a b", ""},
		{"a line break", prefix + "https://a.example/cb?iss=[param]", "a\nb", ""},
		{"what is not ASCII", prefix + "https://a.example/cb?iss=[param]", "é", ""},
		{"too long", prefix + "https://a.example/cb/[param]", strings.Repeat("a", 129), ""},
		{"two labels", prefix + "https://[param].example.com/cb", "evil.example", ""},
		{"a label that ends the host", prefix + "https://[param].example.com/cb", "evil.example/", ""},
		{"user information", prefix + "https://[param].example.com/cb", "a@evil", ""},
		{"a hyphen at its end", prefix + "https://[param].example.com/cb", "a-", ""},

		{"no template at all", "https://a.example/cb", "one", ""},
		{"no open part", prefix + "https://a.example/cb", "one", ""},
		{"two of them", prefix + "https://a.example/[param]/[param]", "one", ""},
		{"the whole URI", prefix + "[param]", "one", ""},
		{"the scheme", prefix + "[param]://a.example/cb", "one", ""},
		{"the whole host", prefix + "https://[param]/cb", "one", ""},
		{"all of a host but its last label", prefix + "https://[param].example/cb", "one", ""},
		{"the end of a label", prefix + "https://a[param].example.com/cb", "one", ""},
		{"the beginning of a label", prefix + "https://[param]a.example.com/cb", "one", ""},
		{"a label in the middle", prefix + "https://a.[param].example.com/cb", "one", ""},
		{"the port", prefix + "https://a.example:[param]/cb", "1", ""},
		{"a host behind user information", prefix + "https://u@[param].example.com/cb", "one", ""},
		{"user information behind it", prefix + "https://[param].example.com@b.example.com/cb", "one", ""},
		{"the name of a parameter", prefix + "https://a.example/cb?[param]=1", "one", ""},
		{"a parameter without a name", prefix + "https://a.example/cb?=[param]", "one", ""},
		{"a parameter without a value", prefix + "https://a.example/cb?a=1&[param]", "one", ""},
		{"the fragment", prefix + "https://a.example/cb#[param]", "one", ""},
		{"the end of an escape", prefix + "https://a.example/cb/%2[param]", "f", ""},
		{"a whole escape", prefix + "https://a.example/cb/%[param]", "2f", ""},
		{"an opaque URI", prefix + "mailto:[param]@a.example", "one", ""},
		{"a scheme that is no URI's", prefix + "com.example.app:[param]", "one", ""},
	} {
		template, ok := ParseRedirectTemplate(c.uri)
		got := ""
		if ok {
			got, ok = template.With(c.param)
		}
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %t", c.rule, got, ok)
		}
		if ok && (!template.Fits(got) || template.Fits(got+"x/y") || template.Fits("x"+got) || template.Fits(template.before+template.after)) {
			t.Errorf("%s: what comes of it is not told from what does not", c.rule)
		}
	}
}

// FuzzRedirectTemplate: whatever is filled in, all but one segment, value or first label stays as it was.
func FuzzRedirectTemplate(f *testing.F) {
	f.Add("https://a.example/cb/[param]/x?y=1", "one")
	f.Add("https://a.example/cb?y=[param]", "a.b")
	f.Add("https://[param].example.com/cb", "one")
	f.Add("com.example.app:/[param]", "..")
	f.Fuzz(func(t *testing.T, uri, param string) {
		template, ok := ParseRedirectTemplate(RedirectTemplatePrefix + uri)
		if !ok {
			return
		}
		sample, ok := template.With("x")
		if !ok {
			t.Fatalf("%q does not take x", uri)
		}
		filled, ok := template.With(param)
		if !ok {
			return
		}
		a, err := url.Parse(sample)
		if err != nil {
			return // no registered redirect URI
		}
		b, err := url.Parse(filled)
		if err != nil {
			t.Fatalf("%q: %v", filled, err)
		}
		if a.Scheme != b.Scheme || !template.Host && a.Host != b.Host || a.User.String() != b.User.String() || a.Fragment != b.Fragment ||
			strings.Count(a.EscapedPath(), "/") != strings.Count(b.EscapedPath(), "/") || len(a.Query()) != len(b.Query()) {
			t.Errorf("%q is another place than %q", filled, sample)
		}
		if _, rest, _ := strings.Cut(a.Host, "."); template.Host && !strings.HasSuffix(b.Host, "."+rest) {
			t.Errorf("%q is at another host than %q", filled, sample)
		}
	})
}

package outbound

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// maxURL is the longest URL, in bytes.
const maxURL = 2048

// The causes of what Permits refuses.
var (
	errSyntax  = errors.New("not an absolute URL without user and fragment")
	errScheme  = errors.New("the scheme is not https")
	errNumeric = errors.New("the host is a number but no address in its usual form")
	errAddress = errors.New("the address is not public")
)

// Permits returns why c would not call that URL, without looking its host up, or nil. It is what a URL is held to when it
// is registered; whom the host's name leads to is asked again at each call. Every error is ErrFailed.
func (c *Client) Permits(s string) error {
	_, err := c.parse(s)
	return failed(err)
}

func (c *Client) parse(s string) (*url.URL, error) {
	if len(s) > maxURL || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || strings.ContainsAny(s, "#\\") {
		return nil, errSyntax
	}
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.User != nil || u.Hostname() == "" || strings.HasSuffix(u.Host, ":") {
		return nil, errSyntax // the parser's own error quotes the URL
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	address, err := netip.ParseAddr(host)
	literal := err == nil
	switch {
	case literal && !c.reachable(address):
		return nil, errAddress
	case !literal && numeric(host):
		return nil, errNumeric
	case u.Scheme == "https":
	case u.Scheme == "http" && c.plain && (literal && address.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")):
	default:
		return nil, errScheme
	}
	return u, nil
}

// numeric tells whether the last label of host begins with a digit and is a number in some notation, as no top-level
// domain is: some resolvers take 2130706433, 0x7f.1 or 0177.0.0.1 for an address.
func numeric(host string) bool {
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	return last == "" || strings.Trim(last, "0123456789") == "" ||
		strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == ""
}

package request

import (
	"net/url"
	"strings"
)

// MaxQuery is the longest authorization request accepted, in bytes.
const MaxQuery = 32 << 10

// Parse reads the raw query of an authorization request, or its form body. A pair with an illegal percent escape
// is ignored as a whole, so that it can neither fail the request nor take part in it.
func Parse(raw string) url.Values {
	v := url.Values{}
	for pair := range strings.SplitSeq(strings.TrimPrefix(raw, "?"), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		n, err := url.QueryUnescape(name)
		if err != nil {
			continue
		}
		w, err := url.QueryUnescape(value)
		if err != nil {
			continue
		}
		v.Add(n, w)
	}
	return v
}

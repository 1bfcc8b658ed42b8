package outbound

import (
	"net/http"
	"testing"
	"time"
)

// RFC 9111 §4.2.1, §5.2.2.
func TestHowLongAnAnswerIsFresh(t *testing.T) {
	for _, c := range []struct {
		rule   string
		header http.Header
		want   time.Duration
	}{
		{"it does not say", http.Header{}, -1},
		{"max-age", http.Header{"Cache-Control": {"public, max-age=60"}}, time.Minute},
		{"in capitals, and quoted", http.Header{"Cache-Control": {`MAX-AGE="60"`}}, time.Minute},
		{"less its age", http.Header{"Cache-Control": {"max-age=60"}, "Age": {"20"}}, 40 * time.Second},
		{"older than that", http.Header{"Cache-Control": {"max-age=60"}, "Age": {"61"}}, 0},
		{"s-maxage comes first", http.Header{"Cache-Control": {"s-maxage=10, max-age=60"}}, 10 * time.Second},
		{"s-maxage comes first, wherever it is", http.Header{"Cache-Control": {"max-age=60", "s-maxage=10"}}, 10 * time.Second},
		{"no-store", http.Header{"Cache-Control": {"max-age=60, no-store"}}, 0},
		{"no-cache", http.Header{"Cache-Control": {"no-cache"}}, 0},
		{"private", http.Header{"Cache-Control": {"private, max-age=60"}}, 0},
		{"max-age that is no number", http.Header{"Cache-Control": {"max-age=x"}}, 0},
		{"a negative one", http.Header{"Cache-Control": {"max-age=-1"}}, 0},
		{"an overflowing one", http.Header{"Cache-Control": {"max-age=99999999999999999999"}}, 0},
		{"Expires", http.Header{"Expires": {"Sun, 06 Nov 1994 08:50:37 GMT"}, "Date": {"Sun, 06 Nov 1994 08:49:37 GMT"}}, time.Minute},
		{"Expires in the past", http.Header{"Expires": {"Sun, 06 Nov 1994 08:49:36 GMT"}, "Date": {"Sun, 06 Nov 1994 08:49:37 GMT"}}, 0},
		{"Expires that is no date", http.Header{"Expires": {"0"}, "Date": {"Sun, 06 Nov 1994 08:49:37 GMT"}}, 0},
		{"Expires counts only without max-age", http.Header{"Cache-Control": {"max-age=5"}, "Expires": {"0"}}, 5 * time.Second},
	} {
		if got := freshness(c.header); got != c.want {
			t.Errorf("%s: %v, want %v", c.rule, got, c.want)
		}
	}
}

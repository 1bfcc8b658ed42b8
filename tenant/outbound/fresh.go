package outbound

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// freshness returns how long an answer is fresh for a cache that several share (RFC 9111 §4.2.1): zero where it must not be
// kept, negative where it does not say.
func freshness(h http.Header) time.Duration {
	life := time.Duration(-1)
	shared := false
	for _, directive := range strings.Split(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache", "private":
			return 0
		case "s-maxage":
			life, shared = seconds(value), true
		case "max-age":
			if !shared {
				life = seconds(value)
			}
		}
	}
	if life < 0 && h.Get("Expires") != "" {
		life = 0 // what cannot be read has expired
		if end, err := http.ParseTime(h.Get("Expires")); err == nil {
			if date, err := http.ParseTime(h.Get("Date")); err == nil {
				life = max(0, end.Sub(date))
			}
		}
	}
	if life > 0 {
		life = max(0, life-max(0, seconds(h.Get("Age"))))
	}
	return life
}

// seconds reads a number of seconds; what is none is zero.
func seconds(s string) time.Duration {
	n, err := strconv.ParseUint(strings.Trim(s, `"`), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

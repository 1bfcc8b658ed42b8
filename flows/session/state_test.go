package session

import (
	"strings"
	"testing"
)

func TestState(t *testing.T) {
	s, acme := service(&memory{}), house(t, "acme", 1)
	n := s.New(acme, Login{Subject: "alice"})
	browser := BrowserState(acme, s.Handle(acme, n))
	of := func(uri string) (state, salt string) {
		state = s.State(acme, n, "shop", uri)
		_, salt, _ = strings.Cut(state, ".")
		return state, salt
	}
	for uri, origin := range map[string]string{
		"https://shop.example/cb?a=b":  "https://shop.example",
		"https://SHOP.example:443/cb":  "https://shop.example",
		"http://127.0.0.1:8765/cb":     "http://127.0.0.1:8765",
		"https://shop.example:8443/cb": "https://shop.example:8443",
	} {
		if state, salt := of(uri); state != stateOf("shop", origin, browser, salt) {
			t.Errorf("%s: the state is not that of a page of %s", uri, origin)
		}
	}
	state, salt := of("https://shop.example/cb")
	later, _ := of("https://shop.example/cb")
	for rule, other := range map[string]string{
		"another time":           later,
		"another client's":       stateOf("desk", "https://shop.example", browser, salt),
		"at another origin":      stateOf("shop", "https://evil.example", browser, salt),
		"of another session":     stateOf("shop", "https://shop.example", BrowserState(acme, s.Handle(acme, s.New(acme, Login{Subject: "alice"}))), salt),
		"of a session turned on": stateOf("shop", "https://shop.example", BrowserState(acme, s.Handle(acme, s.Again(n, Login{}, true))), salt),
		"of another tenant":      stateOf("shop", "https://shop.example", BrowserState(house(t, "acme", 2), s.Handle(acme, n)), salt),
	} {
		if other == state {
			t.Errorf("%s: the state is the same", rule)
		}
	}
	if strings.Contains(s.Handle(acme, n), browser) {
		t.Error("the browser's state tells of the handle")
	}
}

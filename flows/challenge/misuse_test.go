package challenge

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
)

func TestMisuse(t *testing.T) {
	for _, tt := range []struct {
		rule string
		call func(h *house, s string) (Answer, error)
	}{
		{"an unknown one", func(h *house, s string) (Answer, error) {
			return h.as("app", "password=ecila&auth_session="+strings.Repeat("A", 43))
		}},
		{"one that is none", func(h *house, s string) (Answer, error) { return h.as("app", "password=ecila&auth_session=x") }},
		{"none of ours, and no client", func(h *house, s string) (Answer, error) { return h.as("", "password=ecila&auth_session=x") }},
		{"half of one", func(h *house, s string) (Answer, error) { return h.as("app", "password=ecila&auth_session="+s[:22]) }},
		{"one with another end", func(h *house, s string) (Answer, error) {
			return h.as("app", "password=ecila&auth_session="+s[:40]+map[bool]string{true: "AAA", false: "BBA"}[s[40] != 'A'])
		}},
		{"one with a line break", func(h *house, s string) (Answer, error) { return h.as("app", "password=ecila&auth_session="+s+"%0a") }},
		{"another client's", func(h *house, s string) (Answer, error) { return h.as("other", "password=ecila&auth_session="+s) }},
		{"another client's, by name", func(h *house, s string) (Answer, error) {
			return h.as("", "client_id=bare&password=ecila&auth_session="+s)
		}},
		{"another tenant's", func(h *house, s string) (Answer, error) {
			h.t = h.globex
			return h.as("app", "password=ecila&auth_session="+s)
		}},
		{"another tenant's, in its store", func(h *house, s string) (Answer, error) {
			for k, i := range maps.Clone(h.store.interactions) {
				h.store.interactions[strings.Replace(k, "acme/", "globex/", 1)] = i
			}
			h.t = h.globex
			return h.as("app", "password=ecila&auth_session="+s)
		}},
		{"an expired one", func(h *house, s string) (Answer, error) {
			h.now = noon.Add(24 * time.Hour)
			return h.as("app", "password=ecila&auth_session="+s)
		}},
		{"one that has another use", func(h *house, s string) (Answer, error) {
			for k, i := range h.store.interactions {
				i.Step = authorize.StepLogin
				h.store.interactions[k] = i
			}
			return h.as("app", "password=ecila&auth_session="+s)
		}},
		{"one of a turn before", func(h *house, s string) (Answer, error) {
			h.asks("username=eve&auth_session="+s, "password_required")
			return h.as("app", "password=ecila&auth_session="+s)
		}},
		{"one of two turns before, the same call", func(h *house, s string) (Answer, error) {
			h.asks("username=bob&auth_session="+h.asks("username=eve&auth_session="+s, "password_required"), "password_required")
			return h.as("app", "username=eve&auth_session="+s)
		}},
		{"under both names", func(h *house, s string) (Answer, error) {
			return h.as("app", "password=ecila&auth_session=x&device_session="+s)
		}},
	} {
		h := open(t)
		a, err := tt.call(h, h.begin())
		if got := said(a, err); got != said(Answer{}, errSession) {
			t.Errorf("%s: got %s", tt.rule, got)
		}
		if len(h.grants()) > 0 || h.people.checks > 0 {
			t.Errorf("%s: %d grants, %d passwords checked", tt.rule, len(h.grants()), h.people.checks)
		}
	}
}

// An interaction of ours is opened by nothing but its handle, whatever a caller of other dialects makes of that.
func TestNothingElseOpensIt(t *testing.T) {
	h := open(t)
	s := h.begin()
	for _, handle := range []string{s, s[:22], s[22:]} {
		if p, err := h.Authorize.Load(context.Background(), h.t, handle, ""); !errors.Is(err, authorize.ErrNotFound) {
			t.Errorf("by %q: got %+v, %v", handle, p, err)
		}
	}
	for k, i := range h.store.interactions { // even with the bytes of which the hash is stored
		i.Hash = hashID([]byte("known"))
		delete(h.store.interactions, k)
		h.store.interactions[key(h.t.ID, i.Hash)] = i
	}
	for _, binding := range []string{"", "x", string(binding(h.t))} {
		if p, err := h.Authorize.Load(context.Background(), h.t, "known", binding); !errors.Is(err, authorize.ErrNotFound) {
			t.Errorf("with %q: got %+v, %v", binding, p, err)
		}
	}
}

func TestNoSecretIsKept(t *testing.T) {
	h := open(t)
	s := h.asks("scope=openid&use_auth_session=true&username=alice&password=swordfish&otp=123456&client_secret=&x=kept-not", "username_or_password_invalid")
	s = h.asks("password=swordfish2&otp=654321&auth_session="+s, "username_or_password_invalid")
	stored := h.stored()
	if !strings.Contains(stored, "alice") {
		t.Fatal("the user name is not kept", stored)
	}
	for _, secret := range []string{"swordfish", "123456", "654321", "kept-not", s, secretOf("app")} {
		if strings.Contains(stored, secret) {
			t.Errorf("%q is stored: %s", secret, stored)
		}
	}
	// Nor where a step asks for it.
	h.Decider = step(func(in Input) (Verdict, error) {
		return Verdict{Outcome: Ask, Code: "otp_required", Keep: map[string]string{"password": "swordfish", "otp": "1", "client_assertion": "c", "DPoP": "d", "phone": "1-310"}}, nil
	})
	h.asks("auth_session="+s, "otp_required")
	var kept state
	for _, i := range h.store.interactions {
		if err := json.Unmarshal(i.Data, &kept); err != nil {
			t.Fatal(err)
		}
	}
	if want := map[string]string{"username": "alice", "phone": "1-310"}; !maps.Equal(kept.Attributes, want) {
		t.Errorf("kept %v", kept.Attributes)
	}
}

// What came as a secret is not kept under another name either.
func TestNoSecretIsKeptByAnotherName(t *testing.T) {
	h := open(t)
	h.Decider = step(func(in Input) (Verdict, error) {
		p, o := in.Params.Get("password"), in.Params.Get("otp")
		return Verdict{Outcome: Ask, Code: "more_required", Keep: map[string]string{"p": p, "q": "of alice: " + p, "o": o, "n": "1" + o, "username": in.Params.Get("username"), "empty": ""}}, nil
	})
	for _, c := range []struct {
		what, params string
		want         map[string]string
	}{
		{"a password and a code", "username=alice&password=swordfish&otp=123456", map[string]string{"username": "alice", "n": "1123456", "empty": ""}},
		{"a password that is no secret", "username=alice&password=alice", map[string]string{"username": "alice", "p": "alice", "q": "of alice: alice", "o": "", "n": "1", "empty": ""}},
	} {
		s := h.asks("scope=openid&use_auth_session=true&"+c.params, "more_required")
		a, err := h.find(t.Context(), h.t, s)
		if err != nil || a == nil {
			t.Fatal(err)
		}
		if !maps.Equal(a.state.Attributes, c.want) {
			t.Errorf("%s: kept %v, want %v", c.what, a.state.Attributes, c.want)
		}
	}
}

// A code says nothing about another, nor does a handle.
func TestHandlesHaveNoStructure(t *testing.T) {
	h := open(t)
	seen := map[string]bool{}
	for range 1000 {
		s := h.begin()
		a, err := h.as("app", "password=ecila&auth_session="+s)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{s[:22], s[22:], a.Code[:22], a.Code[22:44]} {
			if seen[v] {
				t.Fatalf("%q comes twice", v)
			}
			seen[v] = true
		}
	}
}

// A client that registered to push its requests begins nothing here.
func TestAClientThatMustPush(t *testing.T) {
	h := open(t)
	c, _ := h.t.Clients.Client(context.Background(), "app")
	c.RequirePAR = true
	if a, err := h.as("app", "username=alice&password=ecila"); !errors.Is(err, oauth.InvalidRequest("")) || len(h.grants()) != 0 {
		t.Errorf("got %+v, %v", a, err)
	}
}

// FuzzFind: no text but a handle opens an exchange, nor a handle with anything beside it.
func FuzzFind(f *testing.F) {
	for _, s := range []string{"", "A", "\n", "=", strings.Repeat("A", 43), "☃"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h := open(t)
		good := h.begin()
		for _, handle := range []string{s, good + s, s + good, good[:22] + s} {
			if found, err := h.find(context.Background(), h.t, handle); err != nil || (found != nil) != (handle == good) {
				t.Errorf("%q: %+v, %v", handle, found, err)
			}
		}
	})
}

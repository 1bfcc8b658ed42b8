package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"testing"
	"time"
)

func mac(parts ...[]byte) []byte {
	h := hmac.New(sha256.New, []byte("key"))
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write(p)
	}
	return h.Sum(nil)
}

func TestHashCoversEverything(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)
	event := func() Recorded {
		return Recorded{Seq: 7, Event: Event{At: at, Kind: LoggedIn, Actor: "a", Subject: "s", ClientID: "c", Session: "x", Grant: "g", Address: "192.0.2.1",
			Detail: map[string]string{"k": "v", "l": "w"}}}
	}
	base := Hash(mac, []byte("before"), 3, []Recorded{event()})
	if again := Hash(mac, []byte("before"), 3, []Recorded{event()}); !bytes.Equal(again, base) {
		t.Error("the same events have another hash")
	}
	local := event()
	local.At = at.In(time.FixedZone("elsewhere", 3600))
	if got := Hash(mac, []byte("before"), 3, []Recorded{local}); !bytes.Equal(got, base) {
		t.Error("the same moment in another zone has another hash")
	}
	for what, change := range map[string]func(*Recorded){
		"seq": func(r *Recorded) { r.Seq++ }, "time": func(r *Recorded) { r.At = at.Add(time.Microsecond) }, "kind": func(r *Recorded) { r.Kind = LoginFailed },
		"actor": func(r *Recorded) { r.Actor = "" }, "subject": func(r *Recorded) { r.Subject = "t" }, "client": func(r *Recorded) { r.ClientID = "d" },
		"session": func(r *Recorded) { r.Session = "" }, "grant": func(r *Recorded) { r.Grant = "" }, "address": func(r *Recorded) { r.Address = "" },
		"a detail": func(r *Recorded) { r.Detail["k"] = "w" }, "details": func(r *Recorded) { delete(r.Detail, "l") },
		"where one text ends": func(r *Recorded) { r.Actor, r.Subject = "as", "" },
	} {
		r := event()
		if change(&r); bytes.Equal(Hash(mac, []byte("before"), 3, []Recorded{r}), base) {
			t.Errorf("another %s has the same hash", what)
		}
	}
	if bytes.Equal(Hash(mac, []byte("other"), 3, []Recorded{event()}), base) || bytes.Equal(Hash(mac, []byte("before"), 4, []Recorded{event()}), base) ||
		bytes.Equal(Hash(mac, []byte("before"), 3, []Recorded{event(), event()}), base) {
		t.Error("another place in the chain has the same hash")
	}
}

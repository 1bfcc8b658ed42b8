package script

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func packed(m interface{ pack(packer) packer }) []byte {
	var b bytes.Buffer
	if err := send(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestMessages(t *testing.T) {
	long := strings.Repeat("é", 100_000)
	for _, o := range []order{{}, {Call: "c", Program: "p", Source: long}, {Run: true, Handler: "onChallenge", Event: `{"a":"` + long + `"}`},
		{Call: "c", Answers: []answer{{Number: 1, Value: "null"}, {Number: 32, Error: "no"}}}} {
		var got order
		if err := receive(bytes.NewReader(packed(&o)), &got); err != nil || !cmp.Equal(o, got) {
			t.Error(err, cmp.Diff(o, got))
		}
	}
	for _, r := range []report{{}, {Call: "c", Missing: true}, {Call: "c", Done: true, Outcome: `{"action":"deny"}`, Heap: 1 << 40, Lines: []Line{{"info", ""}, {"", long}}},
		{Call: "c", Done: true, Error: "oh"}, {Call: "\xff", Asks: []ask{{1, "user.find", `["x"]`}, {2, "", ""}}}} {
		var got report
		if err := receive(bytes.NewReader(packed(&r)), &got); err != nil || !cmp.Equal(r, got) {
			t.Error(err, cmp.Diff(r, got))
		}
	}
	if err := send(io.Discard, &order{Source: strings.Repeat("x", maxFrame)}); err != errFrame {
		t.Error("a message that is too long:", err)
	}
	for rule, b := range map[string][]byte{
		"more lines than there may be": packer(nil).text("c").flag(false).flag(true).text("").text("").number(0).number(maxLines + 1),
		"more asks than there may be":  packer(nil).text("c").flag(false).flag(true).text("").text("").number(0).number(0).number(1 << 62),
		"something after the end":      append(packed(&report{})[4:], 0),
		"a text without its end":       {5, 'a'},
		"a number without its end":     {0x80},
		"a flag that is neither":       packer(nil).text("c").number(2),
		"nothing at all":               {},
	} {
		if err := receive(bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)), &report{}); err != errFrame {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

// Whatever a worker sends is read within bounds: it is a report as an honest one could be, or none.
func FuzzFrame(f *testing.F) {
	for _, r := range []report{{}, {Call: "c", Done: true, Outcome: "{}", Lines: []Line{{"info", "x"}}}, {Call: "c", Asks: []ask{{1, "user.find", "[]"}}}} {
		f.Add(packed(&r))
	}
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x04nope"))
	f.Fuzz(func(t *testing.T, b []byte) {
		from := bytes.NewReader(b)
		var r report
		if receive(from, &r) != nil {
			return
		}
		size := len(r.Call) + len(r.Outcome) + len(r.Error)
		for _, l := range r.Lines {
			size += len(l.Level) + len(l.Text)
		}
		for _, a := range r.Asks {
			size += len(a.Name) + len(a.Args)
		}
		if read := len(b) - from.Len(); size > read || len(r.Lines) > maxLines || len(r.Asks) > maxAsks {
			t.Fatalf("%d bytes of %d, %d lines, %d asks", size, read, len(r.Lines), len(r.Asks))
		}
		var again report
		if err := receive(bytes.NewReader(packed(&r)), &again); err != nil || !cmp.Equal(r, again) {
			t.Fatal(err, cmp.Diff(r, again))
		}
	})
}

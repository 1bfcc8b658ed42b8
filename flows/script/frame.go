package script

import (
	"encoding/binary"
	"errors"
	"io"
)

// What the server and its workers say to each other over pipes: each message is four bytes of length, big-endian, and its
// members one after the other (packer). They take turns. The server sends an order, the worker runs until it can go on no
// further without the server, and sends a report.

// order is what a worker is told.
type order struct {
	Call    string // names the call, and is known to nobody else; each report repeats it
	Program string
	Source  string // of the program, which is to be compiled
	Run     bool   // begins the call; otherwise Answers go on with it
	Handler string
	Event   string // JSON
	Answers []answer
}

// answer is what became of something that a script asked for.
type answer struct {
	Number int
	Value  string // JSON
	Error  string
}

// report is what a worker says at the end of its turn.
type report struct {
	Call    string
	Missing bool // the program is to be sent
	Lines   []Line
	Asks    []ask // of this turn
	Done    bool
	Outcome string // of a call that is done: JSON
	Error   string // of a call that is done, and failed
	Heap    uint64 // bytes in use before the turn
}

// ask is something that a script asks the server for.
type ask struct {
	Number int
	Name   string
	Args   string // a JSON array
}

// Line is what a script wrote down while it ran, or what the server has to say of it.
type Line struct {
	Level string `json:"level"` // log, info, warn, error or debug
	Text  string `json:"text"`
}

// Limits of a message, and of what is in it. Sizes are in bytes.
const (
	maxFrame   = 1 << 20
	maxAsks    = 32 // of one call
	maxArgs    = 64 << 10
	maxReply   = 128 << 10
	maxTurn    = 512 << 10 // of answers in one turn, before the last of them
	maxSent    = 512 << 10 // of arguments in one turn
	maxLines   = 64        // of one call
	maxLine    = 1024
	maxMessage = 512 // of what a script threw
)

// errFrame is a message that is none, or too long.
var errFrame = errors.New("script: a message that is none")

func (o *order) pack(p packer) packer {
	p = p.text(o.Call).text(o.Program).text(o.Source).flag(o.Run).text(o.Handler).text(o.Event).number(uint64(len(o.Answers)))
	for _, a := range o.Answers {
		p = p.number(uint64(a.Number)).text(a.Value).text(a.Error)
	}
	return p
}

func (o *order) unpack(u *unpacker) {
	*o = order{Call: u.text(), Program: u.text(), Source: u.text(), Run: u.flag(), Handler: u.text(), Event: u.text()}
	for range u.count(maxAsks) {
		o.Answers = append(o.Answers, answer{u.small(), u.text(), u.text()})
	}
}

func (r *report) pack(p packer) packer {
	p = p.text(r.Call).flag(r.Missing).flag(r.Done).text(r.Outcome).text(r.Error).number(r.Heap).number(uint64(len(r.Lines)))
	for _, l := range r.Lines {
		p = p.text(l.Level).text(l.Text)
	}
	p = p.number(uint64(len(r.Asks)))
	for _, a := range r.Asks {
		p = p.number(uint64(a.Number)).text(a.Name).text(a.Args)
	}
	return p
}

func (r *report) unpack(u *unpacker) {
	*r = report{Call: u.text(), Missing: u.flag(), Done: u.flag(), Outcome: u.text(), Error: u.text(), Heap: u.number()}
	for range u.count(maxLines) {
		r.Lines = append(r.Lines, Line{u.text(), u.text()})
	}
	for range u.count(maxAsks) {
		r.Asks = append(r.Asks, ask{u.small(), u.text(), u.text()})
	}
}

// packer writes the members of a message: numbers as varints, texts and lists after their length.
type packer []byte

func (p packer) number(n uint64) packer { return binary.AppendUvarint(p, n) }

func (p packer) text(s string) packer { return append(p.number(uint64(len(s))), s...) }

func (p packer) flag(b bool) packer {
	if b {
		return p.number(1)
	}
	return p.number(0)
}

// unpacker reads what a packer wrote. After the first member that cannot be, it is bad, and the others are empty.
type unpacker struct {
	left []byte
	bad  bool
}

func (u *unpacker) number() uint64 {
	n, size := binary.Uvarint(u.left)
	if size <= 0 {
		u.left, u.bad = nil, true
		return 0
	}
	u.left = u.left[size:]
	return n
}

// count is a number that is at most so large.
func (u *unpacker) count(most int) int {
	n := u.number()
	if n > uint64(most) {
		u.left, u.bad = nil, true
		return 0
	}
	return int(n)
}

func (u *unpacker) small() int { return u.count(1 << 30) }

func (u *unpacker) flag() bool { return u.count(1) == 1 }

func (u *unpacker) text() string {
	n := u.number()
	if n > uint64(len(u.left)) {
		u.left, u.bad = nil, true
		return ""
	}
	s := string(u.left[:n])
	u.left = u.left[n:]
	return s
}

// send writes one message.
func send(w io.Writer, m interface{ pack(packer) packer }) error {
	b := m.pack(make(packer, 4, 512))
	if len(b)-4 > maxFrame {
		return errFrame
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	_, err := w.Write(b)
	return err
}

// receive reads one message. One that cannot be is errFrame, whatever is in it.
func receive(r io.Reader, m interface{ unpack(*unpacker) }) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return errFrame
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	u := &unpacker{left: body}
	m.unpack(u)
	if u.bad || len(u.left) > 0 {
		return errFrame
	}
	return nil
}

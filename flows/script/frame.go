package script

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
)

// What the server and its workers say to each other over pipes: each message is four bytes of length, big-endian, and JSON.
// They take turns. The server sends an order, the worker runs until it can go on no further without the server, and
// sends a report.

// order is what a worker is told.
type order struct {
	Call    string   `json:"call"` // names the call, and is known to nobody else; each report repeats it
	Program string   `json:"program,omitempty"`
	Source  string   `json:"source,omitempty"` // of the program, which is to be compiled
	Run     bool     `json:"run,omitempty"`    // begins the call; otherwise Answers go on with it
	Handler string   `json:"handler,omitempty"`
	Event   string   `json:"event,omitempty"` // JSON
	Answers []answer `json:"answers,omitempty"`
}

// answer is what became of something that a script asked for.
type answer struct {
	Number int    `json:"n"`
	Value  string `json:"value,omitempty"` // JSON
	Error  string `json:"error,omitempty"`
}

// report is what a worker says at the end of its turn.
type report struct {
	Call    string `json:"call"`
	Missing bool   `json:"missing,omitempty"` // the program is to be sent
	Lines   []Line `json:"lines,omitempty"`
	Asks    []ask  `json:"asks,omitempty"` // of this turn
	Done    bool   `json:"done,omitempty"`
	Outcome string `json:"outcome,omitempty"` // of a call that is done: JSON
	Error   string `json:"error,omitempty"`   // of a call that is done, and failed
	Heap    uint64 `json:"heap,omitempty"`    // bytes
}

// ask is something that a script asks the server for.
type ask struct {
	Number int    `json:"n"`
	Name   string `json:"name"`
	Args   string `json:"args"` // a JSON array
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
	maxTurn    = 256 << 10 // of answers in one turn, before the last of them; JSON in JSON may be twice as long
	maxSent    = 448 << 10 // of arguments in one turn
	maxLines   = 64        // of one call
	maxLine    = 1024
	maxMessage = 512 // of what a script threw
)

var errFrame = errors.New("script: a message is too long")

// send writes one message.
func send(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(body) > maxFrame {
		return errFrame
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), uint32(len(body))), body...))
	return err
}

// receive reads one message.
func receive(r io.Reader, v any) error {
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
	return json.Unmarshal(body, v)
}

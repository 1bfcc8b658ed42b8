package console

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/web/wire"
)

// eventList is a page of events. Next is absent on the last one.
type eventList struct {
	Events []shownEvent `json:"events"`
	Next   string       `json:"next_cursor,omitempty"`
}

// shownEvent is what happened, as an administrator sees it.
type shownEvent struct {
	Seq      int64             `json:"seq"`
	At       time.Time         `json:"at"`
	Kind     string            `json:"kind"`
	Actor    string            `json:"actor,omitempty"`
	Subject  string            `json:"sub,omitempty"`
	ClientID string            `json:"client_id,omitempty"`
	Session  string            `json:"session_id,omitempty"`
	Grant    string            `json:"grant_id,omitempty"`
	Address  string            `json:"address,omitempty"`
	Detail   map[string]string `json:"detail,omitempty"`
	Cursor   string            `json:"cursor,omitempty" doc:"In an export: where to go on after this event"`
}

func shownEventOf(e *audit.Recorded) shownEvent {
	return shownEvent{Seq: e.Seq, At: e.At, Kind: string(e.Kind), Actor: e.Actor, Subject: e.Subject, ClientID: e.ClientID,
		Session: e.Session, Grant: e.Grant, Address: e.Address, Detail: e.Detail}
}

// eventFilter are the query parameters that say which events are meant.
var eventFilter = []parameter{
	{name: "kind", description: "What happened, such as login_failed"},
	{name: "actor", description: "Who did it: id of an API token"},
	{name: "sub", description: "Subject that it is about"},
	{name: "client_id", description: "Client that it is about"},
	{name: "since", description: "A time as in RFC 3339: at or after it"},
	{name: "before", description: "A time as in RFC 3339: before it"},
}

// filterOf reads the filter, and the name of the list that it makes.
func (q *call) filterOf(list string, oldest bool) (f admin.EventFilter, name string, err error) {
	f = admin.EventFilter{Kind: audit.Kind(q.query.Get("kind")), Actor: q.query.Get("actor"), Subject: q.query.Get("sub"),
		ClientID: q.query.Get("client_id"), Oldest: oldest}
	if f.Since, err = timeOf(q.query, "since"); err != nil {
		return f, "", err
	}
	if f.Before, err = timeOf(q.query, "before"); err != nil {
		return f, "", err
	}
	name = strings.Join([]string{list, string(q.id), string(f.Kind), f.Actor, f.Subject, f.ClientID, q.query.Get("since"), q.query.Get("before")}, "\x00")
	after, err := afterOf(q.home, name, q.query)
	if after != "" {
		at, seq, _ := strings.Cut(after, " ")
		f.After.At, _ = time.Parse(time.RFC3339Nano, at) // which is our own: the cursor has a MAC
		f.After.Seq, _ = strconv.ParseInt(seq, 10, 64)
	}
	return f, name, err
}

func timeOf(query url.Values, name string) (time.Time, error) {
	s := query.Get(name)
	if s == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, &badParameter{name, "must be a time as in RFC 3339"}
	}
	return at, nil
}

// cursorAt is where a list of events goes on after e.
func (q *call) cursorAt(list string, e *audit.Recorded) string {
	return cursor(q.home, list, e.At.UTC().Format(time.RFC3339Nano)+" "+strconv.FormatInt(e.Seq, 10))
}

func (d *Door) listEvents(q *call) (eventList, error) {
	n, err := limitOf(q.query)
	if err != nil {
		return eventList{}, err
	}
	f, name, err := q.filterOf("events", false)
	if err != nil {
		return eventList{}, err
	}
	es, err := d.Console.FindEvents(q.Request.Context(), q.id, f, n+1)
	if err != nil {
		return eventList{}, err
	}
	out := eventList{Events: make([]shownEvent, min(n, len(es)))}
	for i := range out.Events {
		out.Events[i] = shownEventOf(&es[i])
	}
	if len(es) > n {
		out.Next = q.cursorAt(name, &es[n-1])
	}
	return out, nil
}

// How much one export holds at most, and how many events are read at once for it.
const (
	exportMost = 50_000
	exportPage = 500
	exportTime = wire.Deadline / 2
)

// lines is an answer of JSON lines, which is written as it is read.
type lines func(w *bufio.Writer) error

// exportEvents writes events, the oldest first, one per line. Each says where to go on after it.
func (d *Door) exportEvents(q *call) (lines, error) {
	f, name, err := q.filterOf("export", true)
	if err != nil {
		return nil, err
	}
	page, err := d.Console.FindEvents(q.Request.Context(), q.id, f, exportPage)
	if err != nil {
		return nil, err
	}
	end := d.Console.Now().Add(exportTime)
	return func(w *bufio.Writer) error {
		out := json.NewEncoder(w)
		for written := 0; len(page) > 0; {
			for i := range page {
				e := shownEventOf(&page[i])
				e.Cursor = q.cursorAt(name, &page[i])
				if err := out.Encode(e); err != nil {
					return err
				}
			}
			if written += len(page); len(page) < exportPage || written >= exportMost || d.Console.Now().After(end) {
				return nil
			}
			f.After = page[len(page)-1]
			var err error
			if page, err = d.Console.FindEvents(q.Request.Context(), q.id, f, exportPage); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// stream writes lines. An answer that breaks off in the middle is cut, so that nobody takes it for a whole one.
func (q *call) stream(l lines) {
	wire.NoStore(q.Context)
	q.Header("Content-Type", "application/jsonl")
	q.Status(http.StatusOK)
	w := bufio.NewWriterSize(q.Writer, 32<<10)
	err := l(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		wire.EventOf(q.Context).Fail(err)
		panic(http.ErrAbortHandler)
	}
	q.Writer.WriteHeaderNow()
}

func (d *Door) verifyEvents(q *call) (*admin.Verdict, error) {
	return d.Console.VerifyAudit(q.Request.Context(), q.id, q.query.Get("head"))
}

package console

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/script"
)

// shownScript is a version of a script.
type shownScript struct {
	Script   string    `json:"script"`
	Version  int64     `json:"version"`
	Active   bool      `json:"active" doc:"It is the version that runs"`
	Running  int64     `json:"active_version,omitempty" doc:"The version that runs; absent where none does"`
	Previous int64     `json:"previous_version,omitempty" doc:"The version that ran before it, to which a rollback goes"`
	Size     int       `json:"size" doc:"Of the source, in bytes"`
	Digest   string    `json:"digest" doc:"SHA-256 of the source in base64url"`
	Note     string    `json:"note,omitempty"`
	At       time.Time `json:"created_at"`
	By       string    `json:"created_by,omitempty"`
	Source   string    `json:"source,omitempty"`
}

func shownScriptOf(s admin.SavedScript) shownScript {
	return shownScript{s.Script, s.Number, s.Active == s.Number, s.Active, s.Previous, s.Size, s.Digest, s.Note, s.At, s.By, s.Source}
}

// scriptList is a list of scripts or of versions of one. Next is absent on the last page.
type scriptList struct {
	Scripts []shownScript `json:"scripts"`
	Next    string        `json:"next_cursor,omitempty"`
}

func (d *Door) listScripts(q *call) (*scriptList, error) {
	ss, err := d.Console.Scripts(q.Request.Context(), q.id)
	list := &scriptList{Scripts: make([]shownScript, len(ss))}
	for i, s := range ss {
		list.Scripts[i] = shownScriptOf(s)
	}
	return list, err
}

// numbered reads where a list goes on that is numbered downwards.
func (q *call) numbered(list string) (before int64, n int, err error) {
	if n, err = limitOf(q.query); err != nil {
		return 0, 0, err
	}
	after, err := afterOf(q.home, list, q.query)
	if err != nil {
		return 0, 0, err
	}
	before, _ = strconv.ParseInt(after, 10, 64)
	return before, n, nil
}

func (d *Door) listScriptVersions(q *call) (*scriptList, error) {
	list := "versions of " + string(q.id) + " " + q.Param("script")
	before, n, err := q.numbered(list)
	if err != nil {
		return nil, err
	}
	ss, err := d.Console.ScriptVersions(q.Request.Context(), q.id, q.Param("script"), before, n+1)
	if err != nil {
		return nil, err
	}
	page := &scriptList{Scripts: []shownScript{}}
	for _, s := range ss[:min(n, len(ss))] {
		page.Scripts = append(page.Scripts, shownScriptOf(s))
	}
	if len(ss) > n {
		page.Next = cursor(q.home, list, strconv.FormatInt(ss[n-1].Number, 10))
	}
	return page, nil
}

func (d *Door) readScriptVersion(q *call) (shownScript, error) {
	number, err := versionOf(q.Param("number"))
	if err != nil {
		return shownScript{}, err
	}
	s, err := d.Console.ScriptVersion(q.Request.Context(), q.id, q.Param("script"), number)
	return shownScriptOf(s), err
}

// versionOf reads the number of a version; newest stands for zero.
func versionOf(s string) (int64, error) {
	if s == "newest" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, admin.ErrUnknownScript
	}
	return n, nil
}

// newScript is the body that saves a version.
type newScript struct {
	Source string `json:"source" need:"yes" doc:"JavaScript, at most 64 KiB"`
	Note   string `json:"note" doc:"What is new in it"`
}

func (d *Door) saveScript(q *call, b *newScript) (shownScript, error) {
	s, err := d.Console.SaveScript(q.Request.Context(), q.id, q.Param("script"), b.Source, b.Note, q.by)
	s.Source = ""
	return shownScriptOf(s), err
}

// newTrial is the body that tries a script out.
type newTrial struct {
	Version int64           `json:"version" doc:"The newest where left out"`
	Event   json.RawMessage `json:"event" need:"yes" doc:"What the script is given, such as one that it wrote down before"`
}

// shownTrial is what became of a trial.
type shownTrial struct {
	Version     int64                      `json:"version"`
	Action      string                     `json:"action,omitempty" doc:"allow, deny or next; absent where the script failed"`
	Failed      string                     `json:"failed,omitempty" doc:"Why the script failed"`
	Error       string                     `json:"error,omitempty"`
	Description string                     `json:"error_description,omitempty"`
	Keep        map[string]string          `json:"keep,omitempty"`
	Wrong       bool                       `json:"wrong,omitempty"`
	Subject     string                     `json:"subject,omitempty"`
	ACR         string                     `json:"acr,omitempty"`
	AMR         []string                   `json:"amr,omitempty"`
	Scope       string                     `json:"scope,omitempty"`
	Claims      map[string]json.RawMessage `json:"claims,omitempty"`
	Data        json.RawMessage            `json:"data,omitempty"`
	Lines       []script.Line              `json:"lines" doc:"What it wrote"`
}

func (d *Door) tryScript(q *call, b *newTrial) (shownTrial, error) {
	t, err := d.Console.TryScript(q.Request.Context(), q.id, q.Param("script"), max(b.Version, 0), b.Event)
	o := &t.Outcome
	lines := t.Lines
	if lines == nil {
		lines = []script.Line{}
	}
	return shownTrial{t.Version, string(o.Action), t.Failed, o.Code, o.Description, o.Keep, o.Wrong, o.Subject, o.ACR, o.AMR, o.Scope.String(), o.Claims, o.Data, lines}, err
}

// newActivation is the body that has a version run.
type newActivation struct {
	Version int64 `json:"version" doc:"The newest where left out"`
}

func (d *Door) activateScript(q *call, b *newActivation) (shownScript, error) {
	s, err := d.Console.ActivateScript(q.Request.Context(), q.id, q.Param("script"), max(b.Version, 0), q.by)
	return shownScriptOf(s), err
}

func (d *Door) rollBackScript(q *call) (shownScript, error) {
	s, err := d.Console.RollBackScript(q.Request.Context(), q.id, q.Param("script"), q.by)
	return shownScriptOf(s), err
}

func (d *Door) deactivateScript(q *call) (none, error) {
	return none{}, d.Console.DeactivateScript(q.Request.Context(), q.id, q.Param("script"), q.by)
}

func (d *Door) deleteScript(q *call) (none, error) {
	return none{}, d.Console.DeleteScript(q.Request.Context(), q.id, q.Param("script"), q.by)
}

// shownLine is one line of the log of scripts.
type shownLine struct {
	At      time.Time `json:"at" doc:"When the call began"`
	Script  string    `json:"script"`
	Version int64     `json:"version"`
	Level   string    `json:"level" doc:"debug, info, warn or error; why a script failed is an error"`
	Text    string    `json:"text"`
}

// scriptLog is a page of the log. Next is absent on the last one.
type scriptLog struct {
	Lines []shownLine `json:"lines"`
	Next  string      `json:"next_cursor,omitempty"`
}

func (d *Door) readScriptLog(q *call) (*scriptLog, error) {
	name := q.query.Get("script")
	list := "log of " + string(q.id) + " " + name
	before, n, err := q.numbered(list)
	if err != nil {
		return nil, err
	}
	xs, err := d.Console.ScriptLog(q.Request.Context(), q.id, name, before, n+1)
	if err != nil {
		return nil, err
	}
	page := &scriptLog{Lines: []shownLine{}}
	for _, x := range xs[:min(n, len(xs))] {
		page.Lines = append(page.Lines, shownLine{x.At, x.Script, x.Version, x.Level, x.Text})
	}
	if len(xs) > n {
		page.Next = cursor(q.home, list, strconv.FormatInt(xs[n-1].Seq, 10))
	}
	return page, nil
}

// shownSecret is a secret that scripts may read, without its value.
type shownSecret struct {
	Secret string    `json:"secret"`
	At     time.Time `json:"updated_at"`
}

type secretList struct {
	Secrets []shownSecret `json:"secrets"`
}

func (d *Door) listScriptSecrets(q *call) (*secretList, error) {
	xs, err := d.Console.ScriptSecrets(q.Request.Context(), q.id)
	list := &secretList{Secrets: make([]shownSecret, len(xs))}
	for i, x := range xs {
		list.Secrets[i] = shownSecret{x.Name, x.At}
	}
	return list, err
}

// newScriptSecret is the body that sets a secret.
type newScriptSecret struct {
	Value string `json:"value" need:"yes" doc:"At most 4096 bytes; nobody but the tenant's scripts reads it back"`
}

func (d *Door) putScriptSecret(q *call, b *newScriptSecret) (none, error) {
	return none{}, d.Console.PutScriptSecret(q.Request.Context(), q.id, q.Param("secret"), b.Value, q.by)
}

func (d *Door) dropScriptSecret(q *call) (none, error) {
	return none{}, d.Console.DropScriptSecret(q.Request.Context(), q.id, q.Param("secret"), q.by)
}

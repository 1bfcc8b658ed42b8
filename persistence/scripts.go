package persistence

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
)

// scriptSecretPlace binds a sealed secret of scripts to its tenant and name.
func scriptSecretPlace(t tenant.ID, name string) []byte {
	return []byte("script secret\x00" + string(t) + "\x00" + name)
}

// PutVersion implements script.Store.
func (db *DB) PutVersion(ctx context.Context, t tenant.ID, v script.Version, keep []int64, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`INSERT INTO script_versions (tenant_id, script, number, source, digest, size, note, created_at, created_by) SELECT :t, ?, ?, ?, ?, ?, ?, ?, ?
		WHERE (SELECT coalesce(max(number), 0) + 1 FROM script_versions WHERE tenant_id = :t AND script = ?) = ?
		AND (SELECT count(DISTINCT script) FROM script_versions WHERE tenant_id = :t AND script <> ?) < ?
		ON CONFLICT (tenant_id, script, number) DO NOTHING RETURNING number`,
		v.Script, v.Number, v.Source, v.Digest, len(v.Source), v.Note, cut(v.At), v.By, v.Script, v.Number, v.Script, script.MaxScripts)
	text := `DELETE FROM script_versions WHERE tenant_id = :t AND script = ? AND number <= ? AND EXISTS (SELECT 1 FROM guard)`
	args := []any{v.Script, v.Number - script.KeptVersions}
	for _, number := range keep {
		text += ` AND number <> ?`
		args = append(args, number)
	}
	e.then(text, args...)
	e.event(ev)
	err := known(e.needs(ctx, "put script", script.ErrConflict), tenant.ErrUnknown)
	if errors.Is(err, script.ErrConflict) && v.Number == 1 {
		if _, none := db.Version(ctx, t, v.Script, 0); errors.Is(none, script.ErrNotFound) {
			return script.ErrFull
		}
	}
	return err
}

// Version implements script.Store.
func (db *DB) Version(ctx context.Context, t tenant.ID, name string, number int64) (*script.Version, error) {
	var v script.Version
	text, args := `SELECT script, number, source, digest, size, note, created_at, created_by FROM script_versions WHERE tenant_id = :t AND script = ?`, []any{name}
	if number > 0 {
		text += ` AND number = ?`
		args = append(args, number)
	}
	err := db.one(ctx, t, "read script", script.ErrNotFound, text+` ORDER BY number DESC LIMIT 1`, args,
		&v.Script, &v.Number, &v.Source, &v.Digest, &v.Size, &v.Note, when{&v.At}, &v.By)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

const versionColumns = `SELECT script, number, digest, size, note, created_at, created_by FROM script_versions WHERE tenant_id = :t`

func (db *DB) versions(ctx context.Context, t tenant.ID, text string, args ...any) (vs []script.Version, err error) {
	err = db.query(ctx, t, "list scripts", versionColumns+text, args, func(scan scan) error {
		var v script.Version
		err := scan(&v.Script, &v.Number, &v.Digest, &v.Size, &v.Note, when{&v.At}, &v.By)
		vs = append(vs, v)
		return err
	})
	return vs, known(err, nil)
}

// Versions implements script.Store.
func (db *DB) Versions(ctx context.Context, t tenant.ID, name string, before int64, n int) ([]script.Version, error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	return db.versions(ctx, t, ` AND script = ? AND number < ? ORDER BY number DESC LIMIT ?`, name, before, n)
}

// Scripts implements script.Store.
func (db *DB) Scripts(ctx context.Context, t tenant.ID) ([]script.Version, error) {
	return db.versions(ctx, t, ` AND number = (SELECT max(l.number) FROM script_versions AS l WHERE l.tenant_id = :t AND l.script = script_versions.script) ORDER BY script`)
}

// DeleteScript implements script.Store.
func (db *DB) DeleteScript(ctx context.Context, t tenant.ID, name string, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`SELECT script FROM script_versions WHERE tenant_id = :t AND script = ? LIMIT 1`, name)
	e.then(`DELETE FROM script_versions WHERE tenant_id = :t AND script IN (SELECT script FROM guard)`)
	e.event(ev)
	return known(e.needs(ctx, "delete script", script.ErrNotFound), script.ErrNotFound)
}

// PutSecret implements script.Store.
func (db *DB) PutSecret(ctx context.Context, t tenant.ID, name string, value []byte, ev audit.Event) error {
	sealed, err := db.sealer.Seal(value, scriptSecretPlace(t, name))
	if err != nil {
		return err
	}
	e := db.effect(t)
	e.guard(`INSERT INTO script_secrets (tenant_id, name, value, updated_at) SELECT :t, ?, ?, ?
		WHERE (SELECT count(*) FROM script_secrets WHERE tenant_id = :t AND name <> ?) < ?
		ON CONFLICT (tenant_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at RETURNING name`,
		name, sealed, cut(ev.At), name, script.MaxSecrets)
	e.event(ev)
	return known(e.needs(ctx, "put secret of scripts", script.ErrFull), tenant.ErrUnknown)
}

// Secret implements script.Store.
func (db *DB) Secret(ctx context.Context, t tenant.ID, name string) ([]byte, error) {
	var sealed []byte
	if err := db.one(ctx, t, "read secret of scripts", script.ErrNotFound, `SELECT value FROM script_secrets WHERE tenant_id = :t AND name = ?`, []any{name}, &sealed); err != nil {
		return nil, err
	}
	b, err := db.sealer.Open(sealed, scriptSecretPlace(t, name))
	if err != nil {
		return nil, oauth.Unavailable().Because(err)
	}
	return b, nil
}

// Secrets implements script.Store.
func (db *DB) Secrets(ctx context.Context, t tenant.ID) (out []script.SecretInfo, err error) {
	err = db.query(ctx, t, "list secrets of scripts", `SELECT name, updated_at FROM script_secrets WHERE tenant_id = :t ORDER BY name`, nil, func(scan scan) error {
		var s script.SecretInfo
		err := scan(&s.Name, when{&s.At})
		out = append(out, s)
		return err
	})
	return out, known(err, nil)
}

// DropSecret implements script.Store.
func (db *DB) DropSecret(ctx context.Context, t tenant.ID, name string, ev audit.Event) error {
	e := db.effect(t)
	e.guard(`DELETE FROM script_secrets WHERE tenant_id = :t AND name = ? RETURNING name`, name)
	e.event(ev)
	return known(e.needs(ctx, "drop secret of scripts", script.ErrNotFound), script.ErrNotFound)
}

// loggedLine is one line on its way into the database.
type loggedLine struct {
	At      string `json:"at"`
	Script  string `json:"script"`
	Version int64  `json:"version"`
	Level   string `json:"level"`
	Text    string `json:"text"`
}

// logging writes lines in their order, by dialect.
var logging = [...]string{
	PostgreSQL: `INSERT INTO script_lines (tenant_id, at, script, version, level, text)
		SELECT :t, CAST(l->>'at' AS timestamptz), l->>'script', CAST(l->>'version' AS bigint), l->>'level', l->>'text'
		FROM json_array_elements(CAST(? AS json)) WITH ORDINALITY AS lines (l, n) WHERE EXISTS (SELECT 1 FROM guard) ORDER BY n`,
	SQLite: `INSERT INTO script_lines (tenant_id, at, script, version, level, text)
		SELECT :t, value->>'at', value->>'script', value->>'version', value->>'level', value->>'text'
		FROM json_each(?) WHERE EXISTS (SELECT 1 FROM guard) ORDER BY key`,
}

// Log implements script.Store.
func (db *DB) Log(ctx context.Context, t tenant.ID, entries []script.Entry) error {
	lines := make([]loggedLine, len(entries))
	for i, x := range entries {
		lines[i] = loggedLine{cut(x.At).Format("2006-01-02 15:04:05.999999-07:00"), x.Script, x.Version, x.Level, x.Text}
	}
	doc, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	e := db.effect(t)
	e.guard(`SELECT tenant_id FROM tenants WHERE tenant_id = :t`)
	e.then(`DELETE FROM script_lines WHERE tenant_id = :t AND seq <= (SELECT seq FROM script_lines WHERE tenant_id = :t ORDER BY seq DESC LIMIT 1 OFFSET ?)
		AND EXISTS (SELECT 1 FROM guard)`, max(0, script.KeptEntries-len(entries)))
	e.then(logging[db.engine.Dialect], string(doc))
	_, _, err = e.run(ctx, "log what scripts wrote")
	return known(err, nil)
}

// Entries implements script.Store.
func (db *DB) Entries(ctx context.Context, t tenant.ID, name string, before int64, n int) (out []script.Entry, err error) {
	if before == 0 {
		before = 1<<63 - 1
	}
	text, args := `SELECT seq, at, script, version, level, text FROM script_lines WHERE tenant_id = :t AND seq < ?`, []any{before}
	if name != "" {
		text += ` AND script = ?`
		args = append(args, name)
	}
	err = db.query(ctx, t, "read the log of scripts", text+` ORDER BY seq DESC LIMIT ?`, append(args, n), func(scan scan) error {
		var x script.Entry
		err := scan(&x.Seq, when{&x.At}, &x.Script, &x.Version, &x.Level, &x.Text)
		if len(out) > 0 && out[len(out)-1].Seq <= x.Seq {
			out = nil // the list is read anew, as it broke off
		}
		out = append(out, x)
		return err
	})
	return out, known(err, nil)
}

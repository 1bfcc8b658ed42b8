package admin

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
)

var secretName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

// Trials try scripts out. *script.JavaScript is one.
type Trials interface {
	// Check reports what is wrong with a source, as a script.ErrScript.
	Check(ctx context.Context, t *tenant.Tenant, source string) error
	// Try puts an event to a script, and returns what the script wrote too.
	Try(ctx context.Context, t *tenant.Tenant, p *script.Program, ev script.Event) (script.Outcome, []script.Line, error)
}

// What is said of scripts. ErrUnknownScript is of one that is not there, or of a version.
var (
	ErrUnknownScript = oauth.NotFound("The tenant has no such script, or not that version of it").Because(script.ErrNotFound)
	errNoSecret      = oauth.NotFound("The tenant's scripts have no such secret").Because(script.ErrNotFound)
	errManyScripts   = oauth.InvalidRequest("The tenant has as many scripts or secrets as it may").Because(tenant.ErrConflict)
	errScriptChanged = oauth.InvalidRequest("The script was changed in the meantime").Because(tenant.ErrConflict)
	errScriptActive  = oauth.InvalidRequest("The script is active: deactivate it first").Because(tenant.ErrConflict)
	errNoPrevious    = oauth.InvalidRequest("No version was active before").Because(tenant.ErrConflict)
)

func wordedScript(err error) error {
	switch {
	case errors.Is(err, script.ErrNotFound):
		return ErrUnknownScript
	case errors.Is(err, script.ErrFull):
		return errManyScripts
	case errors.Is(err, script.ErrConflict):
		return errScriptChanged
	}
	return worded(err)
}

// scripted returns a tenant that may have scripts: the platform has none.
func (c *Console) scripted(ctx context.Context, id tenant.ID) (*tenant.Record, error) {
	r, err := c.record(ctx, id)
	if err == nil && id == tenant.Platform {
		return nil, oauth.InvalidRequest("The platform has no scripts")
	}
	return r, err
}

// SavedScript is a version of a script, and how it stands.
type SavedScript struct {
	script.Version
	Active   int64 // the version that runs; zero: none does
	Previous int64 // the one that ran before; zero: none did
}

func saved(r *tenant.Record, v script.Version) SavedScript {
	s := r.Settings.Scripts[v.Script]
	return SavedScript{v, s.Version, s.Previous}
}

// Scripts lists the newest version of each script of a tenant, by name.
func (c *Console) Scripts(ctx context.Context, id tenant.ID) ([]SavedScript, error) {
	r, err := c.scripted(ctx, id)
	if err != nil {
		return nil, err
	}
	vs, err := c.ScriptStore.Scripts(ctx, id)
	return savedAll(r, vs), wordedScript(err)
}

func savedAll(r *tenant.Record, vs []script.Version) []SavedScript {
	out := make([]SavedScript, len(vs))
	for i, v := range vs {
		out[i] = saved(r, v)
	}
	return out
}

// ScriptVersions lists the versions of a script before that number (zero: all), newest first, at most n.
func (c *Console) ScriptVersions(ctx context.Context, id tenant.ID, name string, before int64, n int) ([]SavedScript, error) {
	r, err := c.scripted(ctx, id)
	if err != nil {
		return nil, err
	}
	vs, err := c.ScriptStore.Versions(ctx, id, name, before, n)
	if err == nil && len(vs) == 0 && before == 0 {
		err = script.ErrNotFound
	}
	return savedAll(r, vs), wordedScript(err)
}

// ScriptVersion returns a version of a script with its source; the newest where number is zero.
func (c *Console) ScriptVersion(ctx context.Context, id tenant.ID, name string, number int64) (SavedScript, error) {
	r, err := c.scripted(ctx, id)
	if err != nil {
		return SavedScript{}, err
	}
	v, err := c.ScriptStore.Version(ctx, id, name, number)
	if err != nil {
		return SavedScript{}, wordedScript(err)
	}
	return saved(r, *v), nil
}

// SaveScript records a new version of a script, which runs only once it is activated. What is no JavaScript is *Invalid.
func (c *Console) SaveScript(ctx context.Context, id tenant.ID, name, source, note string, by By) (SavedScript, error) {
	r, err := c.scripted(ctx, id)
	if err != nil {
		return SavedScript{}, err
	}
	if err := c.checkScript(ctx, id, name, source, note); err != nil {
		return SavedScript{}, err
	}
	at := r.Settings.Scripts[name]
	for tries := 0; ; tries++ {
		newest, err := c.ScriptStore.Version(ctx, id, name, 0)
		number := int64(1)
		switch {
		case err == nil:
			number = newest.Number + 1
		case !errors.Is(err, script.ErrNotFound):
			return SavedScript{}, wordedScript(err)
		}
		ev := c.event(audit.ScriptChanged, by, "change", "saved", "script", name, "version", strconv.FormatInt(number, 10))
		v := script.Version{Script: name, Number: number, Source: source, Digest: script.Digest(source), Size: len(source), Note: note, At: ev.At, By: by.Actor}
		err = c.ScriptStore.PutVersion(ctx, id, v, []int64{at.Version, at.Previous}, ev)
		if errors.Is(err, script.ErrConflict) && tries < retries {
			continue
		}
		return saved(r, v), wordedScript(err)
	}
}

func (c *Console) checkScript(ctx context.Context, id tenant.ID, name, source, note string) error {
	var fields []tenant.FieldError
	wrong := func(pointer, message string) {
		fields = append(fields, tenant.FieldError{Pointer: pointer, Message: message})
	}
	if !tenant.ScriptName.MatchString(name) || slices.Contains([]string{tenant.StepPassword, tenant.StepOTP, tenant.StepHook}, name) {
		wrong("/script", "must be 1 to 63 of a-z, 0-9, hyphen and underscore, a letter first, and not the name of a step that is built in")
	}
	if !printable(note) || len(note) > maxDescription {
		wrong("/note", "must be at most 256 printable characters")
	}
	if source == "" || len(source) > script.MaxSource || !utf8.ValidString(source) || script.Clip(source, script.MaxSource) != source {
		wrong("/source", "must be 1 to 65536 bytes of text")
	} else if len(fields) == 0 {
		t, err := c.Live(ctx, id)
		if err != nil {
			return wordedScript(err)
		}
		err = c.Trials.Check(ctx, t, source)
		if errors.Is(err, script.ErrScript) {
			wrong("/source", script.Reason(err))
		} else if err != nil {
			return worded(err)
		}
	}
	if len(fields) > 0 {
		return &Invalid{fields}
	}
	return nil
}

// Trial is what became of a script that was tried out.
type Trial struct {
	Version int64
	Outcome script.Outcome
	Failed  string // why it failed; empty: it did not
	Lines   []script.Line
}

// TryScript puts an event to a version of a script, the newest where number is zero. What is sent goes nowhere, and what is
// allowed is allowed to nobody.
func (c *Console) TryScript(ctx context.Context, id tenant.ID, name string, number int64, event json.RawMessage) (Trial, error) {
	s, err := c.ScriptVersion(ctx, id, name, number)
	if err != nil {
		return Trial{}, err
	}
	ev, err := script.Recorded(event)
	if err != nil {
		return Trial{}, invalid("/event", "must be an object as a script is given it, of a type that scripts are asked about")
	}
	t, err := c.Live(ctx, id)
	if err != nil {
		return Trial{}, worded(err)
	}
	out := Trial{Version: s.Number}
	out.Outcome, out.Lines, err = c.Trials.Try(ctx, t, s.Program(), ev)
	if err != nil {
		out.Failed = script.Reason(err)
	}
	return out, nil
}

// ActivateScript has that version of a script run from now on; zero stands for the newest. It is a change of the settings.
func (c *Console) ActivateScript(ctx context.Context, id tenant.ID, name string, number int64, by By) (SavedScript, error) {
	s, err := c.ScriptVersion(ctx, id, name, number)
	if err != nil {
		return SavedScript{}, err
	}
	return c.runs(ctx, id, s.Version, by, "activated")
}

// RollBackScript has the version of a script run that did before the one that does.
func (c *Console) RollBackScript(ctx context.Context, id tenant.ID, name string, by By) (SavedScript, error) {
	s, err := c.ScriptVersion(ctx, id, name, 0)
	if err != nil {
		return SavedScript{}, err
	}
	if s.Previous == 0 {
		return SavedScript{}, errNoPrevious
	}
	if s, err = c.ScriptVersion(ctx, id, name, s.Previous); err != nil {
		return SavedScript{}, err
	}
	return c.runs(ctx, id, s.Version, by, "rolled back")
}

// runs makes v the version that runs.
func (c *Console) runs(ctx context.Context, id tenant.ID, v script.Version, by By, what string) (SavedScript, error) {
	r, err := c.setScript(ctx, id, v.Script, by, what, v.Number, func(s tenant.Script) *tenant.Script {
		if s.Version != v.Number {
			s.Previous = s.Version
		}
		s.Version, s.Digest = v.Number, v.Digest
		return &s
	})
	if err != nil {
		return SavedScript{}, err
	}
	v.Source = ""
	return saved(r, v), nil
}

// DeactivateScript has no version of a script run any more. Whoever asks for it is refused.
func (c *Console) DeactivateScript(ctx context.Context, id tenant.ID, name string, by By) error {
	_, err := c.setScript(ctx, id, name, by, "deactivated", 0, func(tenant.Script) *tenant.Script { return nil })
	return err
}

// setScript changes which version of a script runs.
func (c *Console) setScript(ctx context.Context, id tenant.ID, name string, by By, what string, number int64, change func(tenant.Script) *tenant.Script) (*tenant.Record, error) {
	for tries := 0; ; tries++ {
		r, err := c.scripted(ctx, id)
		if err != nil {
			return nil, err
		}
		patch, err := json.Marshal(map[string]any{"scripts": map[string]any{name: change(r.Settings.Scripts[name])}})
		if err != nil {
			return nil, worded(err)
		}
		r, err = c.UpdateTenant(ctx, id, r.Version, Change{Patch: patch, says: []string{"change", "script " + what, "script", name, "version", strconv.FormatInt(number, 10)}}, by)
		if errors.Is(err, tenant.ErrConflict) && tries < retries {
			continue
		}
		return r, err
	}
}

// DeleteScript removes a script with all its versions. One that is active stays.
func (c *Console) DeleteScript(ctx context.Context, id tenant.ID, name string, by By) error {
	r, err := c.scripted(ctx, id)
	if err != nil {
		return err
	}
	if _, active := r.Settings.Scripts[name]; active {
		return errScriptActive
	}
	return wordedScript(c.ScriptStore.DeleteScript(ctx, id, name, c.event(audit.ScriptChanged, by, "change", "deleted", "script", name)))
}

// ScriptLog lists what scripts wrote, and why they failed, before that line (zero: all), newest first, at most n; of one
// script, or of all where name is empty.
func (c *Console) ScriptLog(ctx context.Context, id tenant.ID, name string, before int64, n int) ([]script.Entry, error) {
	if _, err := c.scripted(ctx, id); err != nil {
		return nil, err
	}
	xs, err := c.ScriptStore.Entries(ctx, id, name, before, n)
	return xs, wordedScript(err)
}

// ScriptSecrets lists the secrets that a tenant's scripts may read, by name. Nobody else reads their values.
func (c *Console) ScriptSecrets(ctx context.Context, id tenant.ID) ([]script.SecretInfo, error) {
	if _, err := c.scripted(ctx, id); err != nil {
		return nil, err
	}
	xs, err := c.ScriptStore.Secrets(ctx, id)
	return xs, wordedScript(err)
}

// maxScriptSecret is the longest secret of scripts, in bytes.
const maxScriptSecret = 4096

// PutScriptSecret sets a secret.
func (c *Console) PutScriptSecret(ctx context.Context, id tenant.ID, name, value string, by By) error {
	if _, err := c.scripted(ctx, id); err != nil {
		return err
	}
	switch {
	case !secretName.MatchString(name):
		return invalid("/secret", "must be 1 to 63 letters, digits, hyphens and underscores")
	case value == "" || len(value) > maxScriptSecret:
		return invalid("/value", "must be 1 to 4096 bytes")
	}
	return wordedScript(c.ScriptStore.PutSecret(ctx, id, name, []byte(value), c.event(audit.ScriptSecretChanged, by, "change", "set", "secret", name)))
}

// DropScriptSecret removes a secret.
func (c *Console) DropScriptSecret(ctx context.Context, id tenant.ID, name string, by By) error {
	if _, err := c.scripted(ctx, id); err != nil {
		return err
	}
	err := c.ScriptStore.DropSecret(ctx, id, name, c.event(audit.ScriptSecretChanged, by, "change", "deleted", "secret", name))
	if errors.Is(err, script.ErrNotFound) {
		return errNoSecret
	}
	return wordedScript(err)
}

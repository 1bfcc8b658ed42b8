package conformance

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/script"
)

// version returns that version of a script.
func (k *kit) version(name string, number int64) script.Version {
	source := fmt.Sprintf("// %s of %s, %d", name, mark(k.t), number)
	return script.Version{Script: name, Number: number, Source: source, Digest: script.Digest(source), Size: len(source), Note: "a note", At: k.now, By: "admin"}
}

// put records versions of a script.
func (k *kit) put(name string, numbers ...int64) {
	k.Helper()
	for _, n := range numbers {
		k.must(k.db.PutVersion(k.ctx, k.t, k.version(name, n), nil, audit.Event{}))
	}
}

// lines returns what a script wrote.
func (k *kit) lines(texts ...string) (xs []script.Entry) {
	for i, text := range texts {
		xs = append(xs, script.Entry{At: k.at(time.Duration(i) * time.Second), Script: "login", Version: 1, Line: script.Line{Level: "info", Text: text}})
	}
	return xs
}

// unnumbered is a log without the numbers of its lines, which all tenants share.
func unnumbered(xs []script.Entry) []script.Entry {
	for i := range xs {
		xs[i].Seq = 0
	}
	return xs
}

// scripts gives the tenant a script, a secret and a log.
func (k *kit) scripts() {
	k.Helper()
	k.put("login", 1)
	k.must(k.db.PutSecret(k.ctx, k.t, "key", []byte("secret of "+mark(k.t)), audit.Event{At: k.now}))
	k.must(k.db.Log(k.ctx, k.t, k.lines("written by "+mark(k.t))))
}

// numbers of the versions that a script has.
func (k *kit) versionsOf(name string, before int64, n int) (numbers []int64) {
	k.Helper()
	vs, err := k.db.Versions(k.ctx, k.t, name, before, n)
	k.must(err)
	for _, v := range vs {
		numbers = append(numbers, v.Number)
	}
	return numbers
}

// written are the texts of the log.
func (k *kit) written(name string, before int64, n int) (texts []string) {
	k.Helper()
	xs, err := k.db.Entries(k.ctx, k.t, name, before, n)
	k.must(err)
	for _, x := range xs {
		texts = append(texts, x.Text)
	}
	return texts
}

var scripts = []promise{
	{"a version is read as it was recorded, and its number is the next one", func(k *kit) {
		_, err := k.db.Version(k.ctx, k.t, "login", 0)
		k.is(err, script.ErrNotFound)
		k.is(k.db.PutVersion(k.ctx, k.t, k.version("login", 2), nil, k.event(audit.ScriptChanged)), script.ErrConflict)
		k.must(k.db.PutVersion(k.ctx, k.t, k.version("login", 1), nil, k.event(audit.ScriptChanged)))
		k.is(k.db.PutVersion(k.ctx, k.t, k.version("login", 1), nil, k.event(audit.ScriptChanged)), script.ErrConflict)
		k.put("login", 2)
		for number, want := range map[int64]int64{0: 2, 1: 1, 2: 2} {
			got, err := k.db.Version(k.ctx, k.t, "login", number)
			k.must(err)
			k.same(*got, k.version("login", want))
		}
		_, err = k.db.Version(k.ctx, k.t, "login", 3)
		k.is(err, script.ErrNotFound)
		_, err = k.db.Version(k.ctx, k.t, "other", 1)
		k.is(err, script.ErrNotFound)
		k.same(len(k.events()), 1)
	}},
	{"versions are listed without their sources, newest first, and scripts by name", func(k *kit) {
		k.put("b", 1, 2, 3)
		k.put("a", 1)
		k.same(k.versionsOf("b", 0, 10), []int64{3, 2, 1})
		k.same(k.versionsOf("b", 3, 1), []int64{2})
		k.same(k.versionsOf("c", 0, 10), []int64(nil))
		vs, err := k.db.Scripts(k.ctx, k.t)
		k.must(err)
		a, b := k.version("a", 1), k.version("b", 3)
		a.Source, b.Source = "", ""
		k.same(vs, []script.Version{a, b})
	}},
	{"so many versions stay beside those that are kept, and so many scripts there are at most", func(k *kit) {
		for n := range int64(script.KeptVersions + 3) {
			k.must(k.db.PutVersion(k.ctx, k.t, k.version("login", n+1), []int64{1}, audit.Event{}))
		}
		got := k.versionsOf("login", 0, 1000)
		k.same(len(got), script.KeptVersions+1)
		k.same(got[len(got)-2:], []int64{4, 1})
		for i := range script.MaxScripts - 1 {
			k.put(fmt.Sprint("s", i), 1)
		}
		k.is(k.db.PutVersion(k.ctx, k.t, k.version("more", 1), nil, k.event(audit.ScriptChanged)), script.ErrFull)
		k.put("s0", 2)
	}},
	{"a script goes with all its versions", func(k *kit) {
		k.put("login", 1, 2)
		k.put("other", 1)
		k.must(k.db.DeleteScript(k.ctx, k.t, "login", k.event(audit.ScriptChanged)))
		k.is(k.db.DeleteScript(k.ctx, k.t, "login", k.event(audit.ScriptChanged)), script.ErrNotFound)
		k.same(k.versionsOf("login", 0, 10), []int64(nil))
		k.same(k.versionsOf("other", 0, 10), []int64{1})
		k.same(len(k.events()), 1)
	}},
	{"a secret is replaced, listed without its value, and dropped", func(k *kit) {
		_, err := k.db.Secret(k.ctx, k.t, "key")
		k.is(err, script.ErrNotFound)
		k.must(k.db.PutSecret(k.ctx, k.t, "key", []byte("first"), k.event(audit.ScriptSecretChanged)))
		k.must(k.db.PutSecret(k.ctx, k.t, "key", []byte("second"), k.event(audit.ScriptSecretChanged)))
		k.must(k.db.PutSecret(k.ctx, k.t, "another", nil, k.event(audit.ScriptSecretChanged)))
		got, err := k.db.Secret(k.ctx, k.t, "key")
		k.must(err)
		k.same(string(got), "second")
		list, err := k.db.Secrets(k.ctx, k.t)
		k.must(err)
		k.same(list, []script.SecretInfo{{Name: "another", At: k.now}, {Name: "key", At: k.now}})
		k.must(k.db.DropSecret(k.ctx, k.t, "key", k.event(audit.ScriptSecretChanged)))
		k.is(k.db.DropSecret(k.ctx, k.t, "key", k.event(audit.ScriptSecretChanged)), script.ErrNotFound)
		for i := range script.MaxSecrets - 1 {
			k.must(k.db.PutSecret(k.ctx, k.t, fmt.Sprint("s", i), []byte("x"), audit.Event{}))
		}
		k.is(k.db.PutSecret(k.ctx, k.t, "more", []byte("x"), audit.Event{}), script.ErrFull)
		k.must(k.db.PutSecret(k.ctx, k.t, "s0", []byte("y"), audit.Event{}))
	}},
	{"the log is read newest first, of one script or of all, and keeps so many lines", func(k *kit) {
		xs := k.lines("one", "two \"quoted\" é\n", "three")
		xs[1].Script, xs[1].Version, xs[1].Level = "other", 7, "error"
		k.must(k.db.Log(k.ctx, k.t, xs))
		k.same(k.written("", 0, 10), []string{"three", xs[1].Text, "one"})
		k.same(k.written("login", 0, 10), []string{"three", "one"})
		all, err := k.db.Entries(k.ctx, k.t, "", 0, 10)
		k.must(err)
		k.same(k.written("", all[1].Seq, 10), []string{"one"})
		k.same(unnumbered(all)[1], xs[1])
		many := make([]string, script.KeptEntries-1)
		k.must(k.db.Log(k.ctx, k.t, k.lines(many...)))
		k.must(k.db.Log(k.ctx, k.t, k.lines("last")))
		got := k.written("", 0, 2*script.KeptEntries)
		k.same([]any{len(got) <= script.KeptEntries, len(got) > script.KeptEntries-3, got[0]}, []any{true, true, "last"})
		k.must(k.db.Log(k.ctx, "nobody", k.lines("nothing")))
	}},
	{"a tenant takes its scripts, secrets and log with it", func(k *kit) {
		k.scripts()
		k.must(k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)))
		k.must(k.create(k.t))
		k.same(k.versionsOf("login", 0, 10), []int64(nil))
		k.same(k.written("", 0, 10), []string(nil))
		_, err := k.db.Secret(k.ctx, k.t, "key")
		k.is(err, script.ErrNotFound)
	}},
}

var oldLines = promise{"what scripts wrote goes after a while", func(k *kit) {
	xs := k.lines("old", "new")
	xs[1].At = k.at(time.Hour)
	k.must(k.db.Log(k.ctx, k.t, xs))
	k.swept(k.at(script.EntriesKept).Add(30 * time.Minute))
	k.same(k.written("", 0, 10), []string{"new"})
}}

// raceToPutVersion: of many that record the next version one does.
func raceToPutVersion(k *kit) {
	k.put("login", 1)
	k.oneWins(crowd(func(i int) error {
		v := k.version("login", 2)
		v.Note = fmt.Sprint(i)
		return k.db.PutVersion(k.ctx, k.t, v, nil, k.event(audit.ScriptChanged))
	}), script.ErrConflict)
	k.same(k.versionsOf("login", 0, 10), []int64{2, 1})
	k.same(len(k.events()), 1)
}

func raceToDeleteScript(k *kit) {
	k.put("login", 1, 2)
	var gone atomic.Int64
	for _, err := range crowd(func(int) error { return k.db.DeleteScript(k.ctx, k.t, "login", k.event(audit.ScriptChanged)) }) {
		if err == nil {
			gone.Add(1)
		} else {
			k.is(err, script.ErrNotFound)
		}
	}
	k.same(gone.Load() > 0, true)
	k.same(k.versionsOf("login", 0, 10), []int64(nil))
}

// raceToPutSecret: one of those that set a secret is last.
func raceToPutSecret(k *kit) {
	for _, err := range crowd(func(i int) error {
		return k.db.PutSecret(k.ctx, k.t, "key", []byte(fmt.Sprint("value ", i%2)), k.event(audit.ScriptSecretChanged))
	}) {
		k.must(err)
	}
	list, err := k.db.Secrets(k.ctx, k.t)
	k.must(err)
	k.same(len(list), 1)
}

func raceToDropSecret(k *kit) {
	k.must(k.db.PutSecret(k.ctx, k.t, "key", []byte("x"), audit.Event{}))
	k.oneWins(crowd(func(int) error { return k.db.DropSecret(k.ctx, k.t, "key", k.event(audit.ScriptSecretChanged)) }), script.ErrNotFound)
	k.same(len(k.events()), 1)
}

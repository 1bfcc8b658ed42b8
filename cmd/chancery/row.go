package main

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chancery-id/chancery/web/console"
)

// row is one command over the administration. Its arguments are the names in the path of its operation, and its flags the
// operation's query and the members of its body, except as the row says.
type row struct {
	words   string   // by which it is called
	op      string   // operation that it performs
	more    []string // operations that it performs besides
	help    string   // empty: the operation's summary
	flags   []flag   // its own, and those that are not as the operation has them
	without []string // parameters and members that it does not offer
	file    string   // what the file that it takes as its last argument holds, which is the body; empty: it takes none
	fixed   string   // the body, where it is always the same
	yes     bool     // it is carried out only with --yes
	says    string   // the answer in a sentence, with arguments such as {client}; a body is told then as JSON or YAML only
	list    string   // member of the answer that holds the list; empty: the answer is one object
	columns []string // headers of the list and members in turn
	atMost  int      // entries that are listed unless --limit or --all is given; zero: all
	whole   bool     // the answer is a document, which is told as JSON where nothing else is asked for
	first   []string // members that are told first
	flat    []string // members whose own members are told as the answer's
	run     func(c *called) error
}

// flag is a flag, or an argument, of a command.
type flag struct {
	name        string
	to          string // parameter of the query, or member of the body, that it sets; empty: none
	help        string
	placeholder string
	enum        string
	preset      string // what it is where it is not given
	kind        reflect.Type
	arg         bool // it is an argument
	optional    bool // the argument may be left out
	whole       bool // commas do not separate values
	short       string
}

// The kinds that flags have. Pointers tell what was not given.
var (
	aText  = reflect.TypeFor[*string]()
	aBool  = reflect.TypeFor[*bool]()
	aCount = reflect.TypeFor[*int64]()
	aList  = reflect.TypeFor[[]string]()
)

// operations are those of the administration.
var operations = sync.OnceValue(console.Operations)

// argumentNames are those names in paths that commands have other words for.
var argumentNames = map[string]string{"id": "tenant", "sub": "user"}

func argumentName(inPath string) string {
	if name, ok := argumentNames[inPath]; ok {
		return name
	}
	return inPath
}

var argumentHelp = map[string]string{
	"tenant": "Tenant, or platform.", "user": "User name or subject; after -- where it begins with a hyphen.", "client": "Client id.",
	"kid": "Id of the key, as list shows it; after -- where it begins with a hyphen.", "token": "Id of the token, as list shows it.",
	"hook": "Name of the hook, as in the settings.", "principal": "token:{id}, service:{id} or user:{sub}.",
	"script": "Name of the script.", "number": "Number of the version, or newest.", "secret": "Name of the secret.",
}

// pathNames are the names in the path of an operation.
func pathNames(path string) (names []string) {
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			names = append(names, name)
		}
	}
	return names
}

// settable are the parameters of an operation's query, and the members of its body.
func settable(op *console.Operation) (names []string) {
	for _, p := range op.Query {
		names = append(names, p.Name)
	}
	for _, m := range op.Body {
		names = append(names, m.Name)
	}
	return names
}

// inputs are all arguments and flags of a command.
func (r *row) inputs() (all []flag) {
	op := operationNamed(r.op)
	own := func(to string) *flag {
		i := slices.IndexFunc(r.flags, func(f flag) bool { return f.to == to })
		if i < 0 {
			return nil
		}
		return &r.flags[i]
	}
	for _, name := range pathNames(op.Path) {
		name = argumentName(name)
		if slices.Contains(r.without, name) {
			continue
		}
		all = append(all, flag{name: name, arg: true, help: argumentHelp[name], kind: aText})
	}
	add := func(to, help string, kind reflect.Type) {
		f := flag{name: strings.ReplaceAll(to, "_", "-"), to: to, kind: kind}
		if o := own(to); o != nil {
			f = *o
			if f.kind == nil {
				f.kind = kind
			}
		}
		if f.help == "" {
			f.help = strings.TrimSuffix(help, ".") + "."
		}
		all = append(all, f)
	}
	for _, f := range r.flags {
		if f.to == "" {
			all = append(all, f)
		}
	}
	for _, p := range op.Query {
		if p.Name == "cursor" || p.Name == "limit" || slices.Contains(r.without, p.Name) {
			continue
		}
		kind := aText
		if slices.Equal(p.Values, []string{"true", "false"}) {
			kind = aBool
		}
		add(p.Name, p.Description, kind)
	}
	for _, m := range op.Body {
		if r.fixed != "" || r.file != "" || slices.Contains(r.without, m.Name) {
			continue
		}
		kind, help := kindOf(m.Type)
		if m.Description != "" {
			help = strings.TrimSuffix(m.Description+"; "+help, "; ")
		} else if help == "" {
			help = "The " + strings.ReplaceAll(m.Name, "_", " ")
		}
		add(m.Name, help, kind)
	}
	if r.file != "" {
		all = append(all, flag{name: "file", arg: true, help: "JSON file of " + r.file + "; - for the standard input.", kind: aText})
	}
	return append(all, r.common(op)...)
}

// common are the flags that any such command has.
func (r *row) common(op *console.Operation) (all []flag) {
	if op.Paged && r.list != "" {
		help := "How many at most; all by default."
		if r.atMost > 0 {
			help = "How many at most; " + strconv.Itoa(r.atMost) + " by default."
		}
		all = append(all, flag{name: "limit", help: help, kind: aCount, placeholder: "N"})
		all = append(all, flag{name: "all", help: "All of them.", kind: aBool})
	}
	if op.Tagged {
		all = append(all, flag{name: "if-match", help: "Only where it is of this version still, as its ETag said.", kind: aText, placeholder: "VERSION"})
	}
	if op.Method == "POST" {
		all = append(all, flag{name: "idempotency-key", help: "Name of this one change: what is called again under it is carried out once.", kind: aText, placeholder: "KEY"})
	}
	if r.yes {
		all = append(all, flag{name: "yes", help: "Needed, as it cannot be undone, or not for long.", kind: aBool})
	}
	if !op.Lines {
		all = append(all, flag{name: "output", short: "o", help: "table, json or yaml.", kind: reflect.TypeFor[string](), enum: "table,json,yaml"})
	}
	return all
}

var timeType = reflect.TypeFor[time.Time]()

// kindOf is the kind of flag for a member of that type, and what to say of its form.
func kindOf(t reflect.Type) (reflect.Type, string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType:
		return aText, "A time as in RFC 3339, or how long from now, such as 720h"
	case t.Kind() == reflect.String:
		return aText, ""
	case t.Kind() == reflect.Bool:
		return aBool, ""
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return aCount, ""
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return aList, ""
	}
	return aText, "JSON, or the file that holds it, or -"
}

// grammar is what kong reads the rows from: a struct that holds a struct for each command, and one for each word that
// several begin with.
func grammar(rows []row) any {
	return reflect.New(level(rows, "")).Interface()
}

// level is the struct of all commands that begin with that word.
func level(rows []row, prefix string) reflect.Type {
	var fields []reflect.StructField
	done := map[string]bool{}
	for i := range rows {
		rest, ok := strings.CutPrefix(rows[i].words, prefix)
		if !ok {
			continue
		}
		word, _, deeper := strings.Cut(rest, " ")
		if done[word] {
			continue
		}
		done[word] = true
		name, help := prefix+word, rows[i].summary()
		var t reflect.Type
		if deeper {
			t, help = level(rows, name+" "), groups[name]
		} else {
			t = rows[i].leaf()
		}
		fields = append(fields, field(len(fields), t, "cmd", "", "name", word, "help", help))
	}
	return reflect.StructOf(fields)
}

func (r *row) summary() string {
	if r.help != "" {
		return r.help
	}
	return operationNamed(r.op).Summary + "."
}

// leaf is the struct of one command.
func (r *row) leaf() reflect.Type {
	var fields []reflect.StructField
	for _, f := range r.inputs() {
		tag := []string{"name", f.name, "help", f.help}
		if f.placeholder != "" {
			tag = append(tag, "placeholder", f.placeholder)
		} else if !f.arg && f.enum == "" && f.kind != aBool {
			tag = append(tag, "placeholder", strings.ToUpper(f.name[strings.LastIndexByte(f.name, '-')+1:]))
		}
		if f.arg {
			tag = append(tag, "arg", "")
		}
		if f.optional {
			tag = append(tag, "optional", "")
		}
		if f.enum != "" {
			tag = append(tag, "enum", f.enum, "default", strings.Split(f.enum, ",")[0])
		}
		if f.preset != "" {
			tag = append(tag, "default", f.preset)
		}
		if f.short != "" {
			tag = append(tag, "short", f.short)
		}
		if f.whole {
			tag = append(tag, "sep", "none")
		}
		fields = append(fields, field(len(fields), f.kind, tag...))
	}
	return reflect.StructOf(fields)
}

// field is the i-th of a struct, with a tag of names and values in turn.
func field(i int, t reflect.Type, tag ...string) reflect.StructField {
	var b strings.Builder
	for j := 0; j < len(tag); j += 2 {
		b.WriteString(tag[j] + ":" + strconv.Quote(tag[j+1]) + " ")
	}
	return reflect.StructField{Name: "F" + strconv.Itoa(i), Type: t, Tag: reflect.StructTag(strings.TrimSpace(b.String()))}
}

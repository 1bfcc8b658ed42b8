package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/goccy/go-yaml"
)

// output is how a command answers.
type output struct {
	Output string `name:"output" short:"o" default:"table" enum:"table,json,yaml" help:"table, json or yaml."`
}

// stdout is where answers go.
var stdout io.Writer = os.Stdout

// list writes a JSON array of objects, or else a row for each: columns are headers and members in turn.
func (o output) list(items []json.RawMessage, columns []string) error {
	if o.Output != "table" {
		if items == nil {
			items = []json.RawMessage{}
		}
		return o.document(items)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	row := make([]string, len(columns)/2)
	for i := range row {
		row[i] = columns[2*i]
	}
	fmt.Fprintln(w, strings.Join(row, "\t"))
	for _, item := range items {
		for i := range row {
			if row[i] = cell(memberAt(item, columns[2*i+1])); row[i] == "" {
				row[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// object writes a JSON object, or else its members, one to a line, those first that first names. Of the objects that flat
// names, which are members of it, the members are told as if they were its own. What is empty is left out.
func (o output) object(v any, first, flat []string) error {
	if o.Output != "table" {
		return o.document(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	write := func(m member) {
		if c := cell(m.value); c != "" {
			fmt.Fprintf(w, "%s\t%s\n", strings.ReplaceAll(plain(m.name), "_", " "), c)
		}
	}
	all := membersOf(text)
	for _, name := range first {
		for _, m := range all {
			if m.name == name {
				write(m)
			}
		}
	}
	for _, m := range all {
		switch {
		case slices.Contains(first, m.name):
		case slices.Contains(flat, m.name):
			for _, inner := range membersOf(m.value) {
				if !strings.HasPrefix(inner.name, m.name) {
					inner.name = m.name + "_" + inner.name
				}
				write(inner)
			}
		default:
			write(m)
		}
	}
	return w.Flush()
}

// done writes v as JSON, or else a sentence.
func (o output) done(v any, sentence string) error {
	if o.Output != "table" {
		return o.document(v)
	}
	_, err := fmt.Fprintln(stdout, plain(sentence))
	return err
}

// document writes v as JSON or YAML.
func (o output) document(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil && o.Output == "yaml" {
		text, err = asYAML(text)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, escaped(strings.TrimRight(string(text), "\n"))+"\n")
	return err
}

// escaped is JSON in which what could steer a terminal is escaped. It can stand in strings only.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// asYAML is JSON as YAML, its members in their order.
func asYAML(text []byte) ([]byte, error) {
	var v any
	if err := yaml.UnmarshalWithOptions(text, &v, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	plainNames(v)
	return yaml.MarshalWithOptions(v, yaml.CustomMarshaler[string](func(s string) ([]byte, error) {
		if plain(s) != s {
			return []byte(strconv.Quote(s)), nil // whose escapes YAML has too
		}
		return yaml.Marshal(s)
	}))
}

// plainNames takes out of the names of members what could steer a terminal: YAML writes them as they are.
func plainNames(v any) {
	switch v := v.(type) {
	case yaml.MapSlice:
		for i := range v {
			if name, ok := v[i].Key.(string); ok {
				v[i].Key = plain(name)
			}
			plainNames(v[i].Value)
		}
	case []any:
		for _, element := range v {
			plainNames(element)
		}
	}
}

// member is one of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// membersOf are the members of a JSON object in their order; none where it is something else.
func membersOf(object json.RawMessage) (ms []member) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return ms
		}
		m := member{name: name.(string)}
		if err := d.Decode(&m.value); err != nil {
			return ms
		}
		ms = append(ms, m)
	}
	return ms
}

// memberAt is the member of an object that path leads to, names with dots between; nil where it is not there.
func memberAt(object json.RawMessage, path string) json.RawMessage {
	for name := range strings.SplitSeq(path, ".") {
		ms := membersOf(object)
		i := slices.IndexFunc(ms, func(m member) bool { return m.name == name })
		if i < 0 {
			return nil
		}
		object = ms[i].value
	}
	return object
}

// cell is a JSON value as it stands in a table.
func cell(v json.RawMessage) string {
	var texts []string
	var text string
	switch {
	case len(v) == 0 || string(v) == "null" || string(v) == "[]" || string(v) == "{}":
		return ""
	case string(v) == "true":
		return "yes"
	case string(v) == "false":
		return "no"
	case json.Unmarshal(v, &text) == nil:
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			text = at.UTC().Format(time.RFC3339)
		}
		return plain(text)
	case json.Unmarshal(v, &texts) == nil:
		return plain(strings.Join(texts, " "))
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, v); err != nil {
		return plain(string(v))
	}
	return plain(compact.String())
}

// plain is s without what would move a terminal's cursor or change its colours: names come from strangers.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/console"
)

// called is a command of the table as it was typed.
type called struct {
	context.Context
	*row
	output
	of     *console.Operation
	api    *api
	values map[string]reflect.Value // of arguments and flags that were given
	path   map[string]string        // of the operation
	query  url.Values
	body   map[string]json.RawMessage
}

// wordsOf are those that lead to a node.
func wordsOf(n *kong.Node) string {
	words := n.Name
	for n = n.Parent; n != nil && n.Type == kong.CommandNode; n = n.Parent {
		words = n.Name + " " + words
	}
	return words
}

// rowOf returns the row of the command that kong has selected, or nil.
func rowOf(n *kong.Node) *row {
	words := wordsOf(n)
	i := slices.IndexFunc(rows, func(r row) bool { return r.words == words })
	if i < 0 {
		return nil
	}
	return &rows[i]
}

// perform carries the command out that node holds.
func (r *row) perform(ctx context.Context, conf *config, node *kong.Node) (err error) {
	c := &called{Context: ctx, row: r, of: operationNamed(r.op), values: map[string]reflect.Value{}, path: map[string]string{}, query: url.Values{}}
	for _, v := range slices.Concat(node.Positional, flagValues(node)) {
		if !v.Target.IsZero() {
			c.values[v.Name] = v.Target
		}
	}
	c.Output = c.text("output")
	if r.yes && !c.is("yes") {
		return usage("nobody finds it from then on: add --yes to do it")
	}
	for _, name := range pathNames(c.of.Path) {
		c.path[name] = c.text(argumentName(name))
	}
	if err := c.fill(); err != nil {
		return err
	}
	var end func() error
	if c.api, end, err = conf.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if user, ok := c.path["sub"]; ok {
		if c.path["sub"], err = c.subject(user); err != nil {
			return err
		}
	}
	if r.run != nil {
		return r.run(c)
	}
	return c.answer()
}

func flagValues(n *kong.Node) (vs []*kong.Value) {
	for _, f := range n.Flags {
		vs = append(vs, f.Value)
	}
	return vs
}

// text is an argument or flag; empty where it was not given.
func (c *called) text(name string) string {
	v, ok := c.values[name]
	if !ok {
		return ""
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v.String()
}

// texts is a flag that may be repeated.
func (c *called) texts(name string) []string {
	if v, ok := c.values[name]; ok {
		return v.Interface().([]string)
	}
	return nil
}

// is reports whether a flag is given, and not as false.
func (c *called) is(name string) bool {
	v, ok := c.values[name]
	return ok && v.Elem().Bool()
}

// fill makes query and body of what was given.
func (c *called) fill() error {
	if c.fixed != "" {
		return json.Unmarshal([]byte(c.fixed), &c.body)
	}
	for _, f := range c.inputs() {
		v, ok := c.values[f.name]
		if f.to == "" || !ok {
			continue
		}
		if slices.ContainsFunc(c.of.Query, func(p console.Parameter) bool { return p.Name == f.to }) {
			text := ""
			switch v := v.Interface().(type) {
			case *string:
				text = instant(*v, towards[f.to])
			case *bool:
				text = strconv.FormatBool(*v)
			case *int64:
				text = strconv.FormatInt(*v, 10)
			}
			c.query.Set(f.to, text)
			continue
		}
		i := slices.IndexFunc(c.of.Body, func(m console.Member) bool { return m.Name == f.to })
		raw, err := encoded(v.Interface(), c.of.Body[i].Type)
		if err != nil {
			return err
		}
		c.set(f.to, raw)
	}
	return nil
}

// set sets a member of the body.
func (c *called) set(name string, raw json.RawMessage) {
	if c.body == nil {
		c.body = map[string]json.RawMessage{}
	}
	c.body[name] = raw
}

// encoded is what was given as JSON for a member of that type.
func encoded(v any, t reflect.Type) (json.RawMessage, error) {
	text, ok := v.(*string)
	if !ok {
		return json.Marshal(v)
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == timeType:
		return json.Marshal(instant(*text, 1))
	case t.Kind() == reflect.String:
		return json.Marshal(text)
	case json.Valid([]byte(*text)):
		return json.RawMessage(*text), nil
	}
	doc, err := document(*text)
	if err == nil && !json.Valid(doc) {
		err = usage("%s holds no JSON", *text)
	}
	return doc, err
}

// towards are the parameters that are times, and whether a duration in place of one leads back or ahead.
var towards = map[string]time.Duration{"since": -1, "before": -1, "at": 1}

// instant is a time as it was given, or that far from now in the direction of sign; with no sign it is no time.
func instant(text string, sign time.Duration) string {
	if d, err := time.ParseDuration(text); err == nil && sign != 0 {
		return time.Now().Add(sign * d).UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	return text
}

// document reads a file, or the standard input for -, or nothing.
func document(file string) (json.RawMessage, error) {
	switch file {
	case "":
		return nil, nil
	case "-":
		return io.ReadAll(io.LimitReader(stdin, longestDocument))
	}
	return os.ReadFile(file)
}

// longestDocument is how much is read of the standard input: more than the administration takes.
const longestDocument = 2 * tenant.MaxSettings

// ask performs an operation with what was given, and returns its answer.
func (c *called) ask(op string, body any) (json.RawMessage, error) {
	p := &performed{of: operationNamed(op), path: c.path, query: c.query, header: c.header()}
	switch body := body.(type) {
	case nil:
	case json.RawMessage:
		p.body = body
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		p.body = text
	}
	return c.api.ask(c, p)
}

func (c *called) header() http.Header {
	h := http.Header{}
	if version := c.text("if-match"); version != "" {
		if version != "*" && !strings.HasPrefix(version, `"`) {
			version = strconv.Quote(version)
		}
		h.Set("If-Match", version)
	}
	if key := c.text("idempotency-key"); key != "" {
		h.Set("Idempotency-Key", key)
	}
	return h
}

// answer performs the operation and writes the answer.
func (c *called) answer() error {
	if c.of.Lines {
		return c.lines()
	}
	body, err := c.sent()
	if err != nil {
		return err
	}
	if c.row.list != "" {
		return c.listed(body)
	}
	answer, err := c.ask(c.op, body)
	if err != nil {
		return err
	}
	return c.show(answer)
}

// sent is the body that was given, or nil.
func (c *called) sent() (any, error) {
	switch {
	case c.file != "":
		doc, err := document(c.text("file"))
		if err == nil && !json.Valid(doc) {
			err = usage("the file of %s is no JSON", c.file)
		}
		return doc, err
	case c.body != nil:
		return c.body, nil
	case (len(c.of.Body) > 0 || c.of.Document) && !c.of.Optional:
		return struct{}{}, nil
	}
	return nil, nil
}

// show writes an answer that is one object, or none.
func (c *called) show(answer json.RawMessage) error {
	if c.says != "" {
		if answer == nil {
			answer, _ = json.Marshal(c.told()) // texts always can be
		}
		sentence := c.says
		for name := range c.values {
			sentence = strings.ReplaceAll(sentence, "{"+name+"}", c.text(name))
		}
		return c.done(answer, sentence)
	}
	if c.whole && c.Output == "table" {
		c.Output = "json"
	}
	return c.object(answer, c.first, c.flat)
}

// told is what the command was about, for an answer that says nothing.
func (c *called) told() map[string]string {
	told := map[string]string{}
	for name, value := range c.path {
		if name == "id" {
			name = "tenant_id"
		}
		told[name] = value
	}
	return told
}

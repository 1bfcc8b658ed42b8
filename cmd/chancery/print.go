package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// output is how a command answers.
type output struct {
	Output string `name:"output" short:"o" default:"table" enum:"table,json" help:"table or json."`
}

// stdout is where answers go.
var stdout io.Writer = os.Stdout

// table writes v as JSON, or else the rows under their header.
func (o output) table(v any, header []string, rows [][]string) error {
	if o.Output == "json" {
		return o.json(v)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(header, "\t"))
	for _, r := range rows {
		for i, cell := range r {
			r[i] = plain(cell)
		}
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}

// fields writes v as JSON, or else names and values in turn; what is empty is left out.
func (o output) fields(v any, pairs ...string) error {
	if o.Output == "json" {
		return o.json(v)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", pairs[i], plain(pairs[i+1]))
		}
	}
	return w.Flush()
}

// done writes v as JSON, or else a sentence.
func (o output) done(v any, sentence string) error {
	if o.Output == "json" {
		return o.json(v)
	}
	_, err := fmt.Fprintln(stdout, plain(sentence))
	return err
}

func (o output) json(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = stdout.Write(append(text, '\n'))
	return err
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

// stamp is a time as it is shown, or a dash.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

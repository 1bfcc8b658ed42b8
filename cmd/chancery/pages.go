package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"strconv"
)

// mostPerPage is how many entries a page has at most.
const mostPerPage = 1000

// listed writes the list that the operation answers with, page after page.
func (c *called) listed(body any) error {
	items, err := c.items(body)
	if err != nil {
		return err
	}
	return c.output.list(items, c.columns)
}

func (c *called) items(body any) (items []json.RawMessage, err error) {
	left := c.atMost
	if v, ok := c.values["limit"]; ok {
		if left = int(v.Elem().Int()); left < 1 {
			return nil, usage("--limit is not positive")
		}
	}
	if c.is("all") {
		left = 0
	}
	for most := left; ; {
		if c.of.Paged {
			size := mostPerPage
			if most > 0 {
				size = min(size, most-len(items))
			}
			c.query.Set("limit", strconv.Itoa(size))
		}
		answer, err := c.ask(c.op, body)
		if err != nil {
			return nil, err
		}
		var page []json.RawMessage
		if err := json.Unmarshal(memberAt(answer, c.row.list), &page); err != nil {
			return nil, err
		}
		items = append(items, page...)
		var next string
		if raw := memberAt(answer, "next_cursor"); raw != nil {
			if err := json.Unmarshal(raw, &next); err != nil {
				return nil, err
			}
		}
		if next == "" || most > 0 && len(items) >= most {
			return items, nil
		}
		c.query.Set("cursor", next)
	}
}

// lines writes JSON lines as they come, and goes on where an answer ends.
func (c *called) lines() error {
	out := bufio.NewWriter(stdout)
	for {
		last, err := c.someLines(out)
		if err = errors.Join(err, out.Flush()); err != nil || last == "" {
			return err
		}
		c.query.Set("cursor", last)
	}
}

// someLines writes the lines of one answer, and returns the cursor of the last.
func (c *called) someLines(out io.Writer) (cursor string, err error) {
	res, err := c.api.do(c, &performed{of: c.of, path: c.path, query: maps.Clone(c.query), header: c.header()})
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return cursor, nil
		}
		if err != nil {
			return "", err
		}
		var l struct{ Cursor string }
		if err := json.Unmarshal(line, &l); err != nil {
			return "", err
		}
		cursor = l.Cursor
		if _, err := out.Write(line); err != nil {
			return "", err
		}
	}
}

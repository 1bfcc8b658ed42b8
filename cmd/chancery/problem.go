package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/chancery-id/chancery/tenant/keys"
)

// What a command exits with.
const (
	exitFailed   = 1
	exitUsage    = 2 // it was not called as it may be
	exitNotFound = 3 // what it is about is not there
	exitRefused  = 4 // who calls may not do it, or is not known
)

// problem is what the administration answers where it does not do as it is told (RFC 9457).
type problem struct {
	Status int     `json:"status"`
	Title  string  `json:"title"`
	Code   string  `json:"code"`
	Detail string  `json:"detail"`
	Errors []fault `json:"errors"`
	cause  string  // where the fault is this process's
}

// fault is what is wrong with one member of what was sent.
type fault struct {
	Pointer   string `json:"pointer"`
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
}

// Error is the problem in words for an operator, one line for each fault.
func (p *problem) Error() string {
	lines := []string{p.Detail}
	if p.Detail == "" {
		lines[0] = fmt.Sprintf("the server answered %d %s", p.Status, http.StatusText(p.Status))
	}
	if p.cause != "" {
		lines[0] += " (" + p.cause + ")"
	}
	for _, f := range p.Errors {
		at := f.Pointer
		if at == "" {
			at = "?" + f.Parameter
		}
		lines = append(lines, "  "+at+" "+f.Detail)
	}
	for i, l := range lines {
		lines[i] = plain(l)
	}
	return strings.Join(lines, "\n")
}

// ExitCode is what a command exits with that met the problem.
func (p *problem) ExitCode() int {
	switch p.Status {
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitRefused
	}
	return exitFailed
}

// problem reads the problem that an answer is, and closes it.
func (a *api) problem(res *http.Response) error {
	defer res.Body.Close()
	p := &problem{}
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || kind != "application/problem+json" || json.Unmarshal(text, p) != nil {
		// Not the administration: a proxy before it, or something else altogether.
		p = &problem{Detail: fmt.Sprintf("%s answered %s, and not as the administration does", a.server, res.Status)}
	}
	p.Status = res.StatusCode
	if a.cause != nil {
		p.cause = a.cause()
	}
	if strings.Contains(p.cause, keys.ErrSealed.Error()) {
		return keys.ErrSealed
	}
	return p
}

// misuse is a command that was not called as it may be.
type misuse string

// Error is the reason.
func (m misuse) Error() string { return string(m) }

// ExitCode is that of wrong usage.
func (misuse) ExitCode() int { return exitUsage }

func usage(format string, args ...any) error { return misuse(fmt.Sprintf(format, args...)) }

// exitCode is what a command exits with that ended in err.
func exitCode(err error) int {
	if e, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err); ok {
		return e.ExitCode()
	}
	return exitFailed
}

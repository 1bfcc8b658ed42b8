package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// stdin is where passwords come from when they are not typed.
var stdin io.Reader = os.Stdin

// password asks for a new password at the terminal, twice and unseen, or reads the first line of the standard input. It
// never comes from a flag, which others can see.
func password() (string, error) {
	if f, ok := stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		first, err := typed(f, "Password: ")
		if err != nil {
			return "", err
		}
		again, err := typed(f, "Again: ")
		if err != nil {
			return "", err
		}
		if first != again {
			return "", errors.New("the passwords differ")
		}
		return first, nil
	}
	line, err := bufio.NewReader(stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("there is no password on the standard input")
	}
	return line, nil
}

// typed reads a line that does not show.
func typed(f *os.File, prompt string) (string, error) {
	fmt.Fprint(os.Stderr, prompt)
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(os.Stderr)
	return string(b), err
}

package account

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/chancery-id/chancery/flows/oauth"
)

// The lengths of a password, in characters after NFC. What is longer is refused, never cut.
const (
	minPassword = 8
	maxPassword = 256
	maxBytes    = maxPassword * utf8.UTFMax
)

//go:embed common.txt
var commonList string

// common holds passwords that guessers try first, folded.
var common = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(commonList) {
		m[Fold(w)] = true
	}
	return m
})

// acceptable returns a new password as it is hashed, in the normal form NFC (RFC 8265 §4.2). Any character may be in
// it. One that is too short, too long, common, or the user name is invalid_request.
func acceptable(password, username string) (string, error) {
	if len(password) > 4*maxBytes || !utf8.ValidString(password) {
		return "", oauth.InvalidRequest("The password is too long or not valid text")
	}
	p := norm.NFC.String(password)
	folded := Fold(p)
	switch n := utf8.RuneCountInString(p); {
	case n < minPassword:
		return "", oauth.InvalidRequest("The password is shorter than 8 characters")
	case n > maxPassword:
		return "", oauth.InvalidRequest("The password is longer than 256 characters")
	case common()[folded]:
		return "", oauth.InvalidRequest("The password is one of the most common ones")
	case folded == Fold(username):
		return "", oauth.InvalidRequest("The password is the same as the user name")
	}
	return p, nil
}

package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxUsername is the longest user name, in bytes.
const maxUsername = 256

// Fold returns the form in which user names are compared: compatibility characters and letter case are one
// (RFC 8265 §3.3, with the wider NFKC), white space around is gone. Folding twice is folding once.
func Fold(username string) string {
	s := strings.TrimSpace(username)
	for range 2 { // folding case can undo the normal form, and the other way round
		s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	}
	return strings.TrimSpace(s)
}

// usable reports whether a folded user name may exist at all, so that no other reaches the store.
func usable(folded string) bool {
	return folded != "" && len(folded) <= maxUsername && utf8.ValidString(folded) && !strings.ContainsFunc(folded, unseen)
}

// unseen reports whether r is a control, format, private or unassigned character, or a space of another kind.
func unseen(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

package account

import (
	"strings"
	"testing"
)

func TestParseHash(t *testing.T) {
	good := ours.hash(pass, []byte("0123456789abcdef")).String()
	for _, c := range []struct {
		rule, hash      string
		checkable, weak bool
	}{
		{"our own", good, true, false},
		{"stronger than ours", strings.Replace(good, "t=2", "t=3", 1), true, false},
		{"less memory", strings.Replace(good, "m=19456", "m=4096", 1), true, true},
		{"fewer passes", strings.Replace(good, "t=2", "t=1", 1), true, true},
		{"short salt", "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc$" + good[strings.LastIndex(good, "$")+1:], true, true},
		{"bcrypt", "$2b$04$OtR5tTEnaPtaMDNAkKWzFeyA8yk0JSGGcG6wfm4iNZeowCr3c9q0y", true, true},
		{"more memory than we can spare", strings.Replace(good, "m=19456", "m=1048576", 1), false, true},
		{"more passes than we have time for", strings.Replace(good, "t=2", "t=1000", 1), false, true},
		{"bcrypt that would take minutes", "$2b$20$OtR5tTEnaPtaMDNAkKWzFeyA8yk0JSGGcG6wfm4iNZeowCr3c9q0y", false, true},
		{"no passes", strings.Replace(good, "t=2", "t=0", 1), false, true},
		{"no lanes", strings.Replace(good, "p=1", "p=0", 1), false, true},
		{"too little memory for its lanes", "$argon2id$v=19$m=8,t=2,p=4$MDEyMzQ1Njc$MDEyMzQ1Njc4OWFiY2RlZg", false, true},
		{"another version", strings.Replace(good, "v=19", "v=16", 1), false, true},
		{"argon2i", strings.Replace(good, "argon2id", "argon2i", 1), false, true},
		{"something after the parameters", strings.Replace(good, "p=1", "p=1,x=1", 1), false, true},
		{"padding", good + "=", false, true},
		{"a part too many", good + "$", false, true},
		{"plain text", pass, false, true},
		{"empty", "", false, true},
	} {
		if _, err := parseHash(c.hash); (err == nil) != c.checkable {
			t.Errorf("%s: %v", c.rule, err)
		}
		if NeedsRehash(c.hash) != c.weak {
			t.Errorf("%s: NeedsRehash is %v", c.rule, !c.weak)
		}
		if !c.checkable && matches(c.hash, pass) {
			t.Errorf("%s: it opens", c.rule)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc$MDEyMzQ1Njc4OWFiY2RlZg")
	f.Add("$2b$04$OtR5tTEnaPtaMDNAkKWzFeyA8yk0JSGGcG6wfm4iNZeowCr3c9q0y")
	for _, c := range imported {
		f.Add(c.hash)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseHash(s)
		switch d := d.(type) {
		case pbkdf2Hash:
			if d.iterations > affordablePBKDF2 {
				t.Errorf("%q is not affordable", s)
			}
		case scryptHash:
			if d.n*d.r*d.p > affordableScryptWork || d.n*d.r > affordableScryptMemory {
				t.Errorf("%q is not affordable", s)
			}
		}
		if a, ok := d.(argon2id); err == nil && ok {
			again, err := parseHash(a.String())
			if err != nil || again.(argon2id).String() != a.String() {
				t.Errorf("%q reads as %q, which reads as %v, %v", s, a, again, err)
			}
		}
	})
}

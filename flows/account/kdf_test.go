package account

import (
	"strings"
	"testing"
)

// imported are hashes of pass that another implementation made.
var imported = []struct{ rule, hash string }{
	{"PBKDF2 with sha1, PHC form", "$pbkdf2-sha1$i=1000,l=20$c2l4dGVlbiBieXRlIHNhbA$vidoB0okkzWhXmQg5U40XHoHBJk"},
	{"PBKDF2 with sha256, PHC form", "$pbkdf2-sha256$i=1000,l=32$c2l4dGVlbiBieXRlIHNhbA$0jCG77B+ZMarPZ0V/nWfStkDmRe8fKHXTfJqIn8NMVU"},
	{"PBKDF2 with sha512, PHC form", "$pbkdf2-sha512$i=1000,l=64$c2l4dGVlbiBieXRlIHNhbA$rU4+LXNnfyZTFoCA/lyqwAI23FwQPXA1J8WUvWKIN0asda65BYVS3ajgw8RORUx2kWMyEjgepCG1IEmnGuv2Yg"},
	{"PBKDF2, PHC form without a length", "$pbkdf2-sha256$i=1000$c2l4dGVlbiBieXRlIHNhbA$0jCG77B+ZMarPZ0V/nWfStkDmRe8fKHXTfJqIn8NMVU"},
	{"PBKDF2, longer than its hash", "$pbkdf2-sha256$i=1000,l=64$c2l4dGVlbiBieXRlIHNhbA$0jCG77B+ZMarPZ0V/nWfStkDmRe8fKHXTfJqIn8NMVWVvJ+9s6dZ8w3DaXQAi1KiSEqLYQ2LhekRu3x/hflilA"},
	{"PBKDF2 of modular crypt, SHA-1", "$pbkdf2$1000$..................../w$Mra4/cl4uDbqC3GIOinQfTmudP4"},
	{"PBKDF2 of modular crypt, SHA-512", "$pbkdf2-sha512$1000$..................../w$BIznknMc2ov6WQHv1jspLPyq4EPoxWC1tSIGhxET4.n.y5AfHAR6DWOVK9YeZcLgA0Y8NPPl1GYwP1HhYvT6kg"},
	{"PBKDF2 of Django, sha1", "pbkdf2_sha1$1000$Xk2pQ9dLw8$clZEFCQRTf3SrlRbcYl4LDRBD7g="},
	{"PBKDF2 of Django, sha256", "pbkdf2_sha256$1000$Xk2pQ9dLw8$kz7nexlWYlRodtUYxW8UWxpQMQBTVpmW6fnYk6od81A="},
	{"PBKDF2 of Werkzeug", "pbkdf2:sha256:1000$Xk2pQ9dLw8$933ee77b195662546876d518c56f145b1a50310053569996e9f9d893aa1df350"},
	{"scrypt, PHC form", "$scrypt$ln=10,r=8,p=1$c2l4dGVlbiBieXRlIHNhbA$AO+Qn5rf3loI0GlsiozAlajzHQhpTjOgtExeRkJ1ihg"},
	{"scrypt of Werkzeug", "scrypt:1024:8:2$Xk2pQ9dLw8$600b2b6c84e783e62c953c4973aa53a2a69285864ed8f60c38e82813e6c79d1d93c8c3e73f66f764cbe4f7cc50afdefe1e8e021df0586fad3c5650ee3423c8c2"},
}

func TestVerifyImportedKDFs(t *testing.T) {
	ctx, acme := t.Context(), acme()
	for _, c := range imported {
		s, m, _ := house(t)
		a, err := s.Create(ctx, acme, New{Username: "alice", PasswordHash: c.hash})
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if _, err := s.Verify(ctx, acme, "alice", pass+".", ""); err == nil {
			t.Errorf("%s: a wrong password opens", c.rule)
		}
		if m.accounts[a.Subject].PasswordHash != c.hash {
			t.Errorf("%s: a wrong password changed the hash", c.rule)
		}
		for range 2 {
			if _, err := s.Verify(ctx, acme, "alice", pass, ""); err != nil {
				t.Errorf("%s: %v", c.rule, err)
			}
			if now := m.accounts[a.Subject].PasswordHash; NeedsRehash(now) {
				t.Errorf("%s: after a sign-in the hash is %q", c.rule, now)
			}
		}
	}
}

// The published vectors of RFC 6070 §2 and RFC 7914 §12.
func TestKDFVectors(t *testing.T) {
	for _, c := range []struct{ rule, hash, password string }{
		{"PBKDF2 with HMAC-SHA-1", "pbkdf2:sha1:4096$saltSALTsaltSALTsaltSALTsaltSALTsalt$3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038", "passwordPASSWORDpassword"},
		{"scrypt", "scrypt:16384:8:1$SodiumChloride$7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" +
			"d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887", "pleaseletmein"},
	} {
		if !matches(c.hash, c.password) || matches(c.hash, c.password+"x") {
			t.Error(c.rule)
		}
	}
}

func TestParseKDF(t *testing.T) {
	const salt, sum = "c2l4dGVlbiBieXRlIHNhbA", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY" // 16 and 32 bytes
	const sum64 = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg"
	hex := strings.Repeat("ab", 32)
	for _, c := range []struct {
		rule, hash string
		checkable  bool
	}{
		{"as many iterations as we can spare", "$pbkdf2-sha256$i=2000000$" + salt + "$" + sum, true},
		{"one more", "$pbkdf2-sha256$i=2000001$" + salt + "$" + sum, false},
		{"each block counts", "$pbkdf2-sha256$i=2000000$" + salt + "$" + sum64, false},
		{"each block of SHA-1 counts", "$pbkdf2-sha1$i=500001$" + salt + "$" + sum64, false},
		{"too many iterations of modular crypt", "$pbkdf2$99999999$" + salt + "$" + sum, false},
		{"too many of Django", "pbkdf2_sha256$99999999$sixteen byte sal$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", false},
		{"too many of Werkzeug", "pbkdf2:sha256:99999999$sixteen byte sal$" + hex, false},
		{"more iterations than a number holds", "$pbkdf2-sha256$i=99999999999999999999$" + salt + "$" + sum, false},
		{"no iterations", "$pbkdf2-sha256$i=0$" + salt + "$" + sum, false},
		{"a negative number", "$pbkdf2-sha256$i=-5$" + salt + "$" + sum, false},
		{"a leading zero", "$pbkdf2-sha256$i=01000$" + salt + "$" + sum, false},
		{"another length than it says", "$pbkdf2-sha256$i=1000,l=31$" + salt + "$" + sum, false},
		{"MD5", "$pbkdf2-md5$i=1000$" + salt + "$" + sum, false},
		{"a dash and no hash", "$pbkdf2-$i=1000$" + salt + "$" + sum, false},
		{"a short salt", "$pbkdf2-sha256$i=1000$c2FsdA$" + sum, false},
		{"a short sum", "$pbkdf2-sha256$i=1000$" + salt + "$c2FsdA", false},
		{"padding", "$pbkdf2-sha256$i=1000$" + salt + "$" + sum + "=", false},
		{"a part too many", "$pbkdf2-sha256$i=1000$" + salt + "$" + sum + "$", false},
		{"Django without padding", "pbkdf2_sha256$1000$sixteen byte sal$" + sum, false},
		{"Django without a hash", "pbkdf2_$1000$sixteen byte sal$" + sum + "=", false},
		{"Werkzeug without iterations", "pbkdf2:sha256$sixteen byte sal$" + hex, false},
		{"Werkzeug, not hexadecimal", "pbkdf2:sha256:1000$sixteen byte sal$xyz", false},

		{"as much memory as we can spare", "$scrypt$ln=17,r=8,p=1$" + salt + "$" + sum, true},
		{"more memory", "$scrypt$ln=18,r=8,p=1$" + salt + "$" + sum, false},
		{"more memory by larger blocks", "$scrypt$ln=17,r=16,p=1$" + salt + "$" + sum, false},
		{"more work", "$scrypt$ln=17,r=8,p=3$" + salt + "$" + sum, false},
		{"a cost beyond any number", "$scrypt$ln=64,r=8,p=1$" + salt + "$" + sum, false},
		{"no cost", "$scrypt$ln=0,r=8,p=1$" + salt + "$" + sum, false},
		{"no blocks", "$scrypt$ln=14,r=0,p=1$" + salt + "$" + sum, false},
		{"no lanes", "$scrypt$ln=14,r=8,p=0$" + salt + "$" + sum, false},
		{"a parameter too many", "$scrypt$ln=14,r=8,p=1,x=1$" + salt + "$" + sum, false},
		{"parameters in another order", "$scrypt$r=8,ln=14,p=1$" + salt + "$" + sum, false},
		{"scrypt of Werkzeug", "scrypt:32768:8:1$sixteen byte sal$" + hex, true},
		{"a cost that is no power of two", "scrypt:32767:8:1$sixteen byte sal$" + hex, false},
		{"too much memory of Werkzeug", "scrypt:1048576:8:1$sixteen byte sal$" + hex, false},
	} {
		if _, err := parseHash(c.hash); (err == nil) != c.checkable {
			t.Errorf("%s: %v", c.rule, err)
		}
		if !NeedsRehash(c.hash) {
			t.Errorf("%s: it would stay", c.rule)
		}
	}
}

// The dearest hashes that may be imported.
func BenchmarkAffordable(b *testing.B) {
	for _, c := range []struct {
		name string
		of   digest
	}{
		{"PBKDF2-SHA1", pbkdf2Hash{hashes["sha1"], affordablePBKDF2 / 4, make([]byte, 16), make([]byte, 64)}},
		{"PBKDF2-SHA512", pbkdf2Hash{hashes["sha512"], affordablePBKDF2, make([]byte, 16), make([]byte, 64)}},
		{"scrypt", scryptHash{1 << 17, 8, 2, make([]byte, 16), make([]byte, 32)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.of.matches(pass)
			}
		})
	}
}

package token

import "testing"

// RFC 7636 Appendix B.
func TestThePublishedVerifier(t *testing.T) {
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	if !verifies(verifier, challenge) {
		t.Error("the published verifier is not that of its challenge")
	}
	for _, v := range []string{verifier + "A", verifier[:42], "E" + verifier[1:], challenge, ""} {
		if verifies(v, challenge) {
			t.Errorf("%q is taken", v)
		}
	}
}

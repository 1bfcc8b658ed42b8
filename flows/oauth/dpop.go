package oauth

// Confirmation says which key the holder of a token must prove to have (RFC 7800 §3.1). Its JSON is the claim cnf, and is
// stored. The zero value asks for none.
type Confirmation struct {
	JKT string `json:"jkt,omitempty"`      // thumbprint of the key of DPoP proofs (RFC 9449 §6.1)
	X5T string `json:"x5t#S256,omitempty"` // thumbprint of the client's certificate (RFC 8705 §3.1)
}

// TokenType is the token_type of access tokens that c holds for (RFC 6749 §7.1, RFC 9449 §5).
func (c Confirmation) TokenType() string {
	if c.JKT != "" {
		return "DPoP"
	}
	return "Bearer"
}

// InvalidDPoPProof: a DPoP proof is missing where one is due, or proves nothing (RFC 9449 §5, §7.1).
func InvalidDPoPProof(d string) *Error { return &Error{Code: "invalid_dpop_proof", Description: d} }

// UseDPoPNonce: the DPoP proof must hold the nonce that comes with this answer (RFC 9449 §8, §9).
func UseDPoPNonce(d string) *Error { return &Error{Code: "use_dpop_nonce", Description: d} }

package request

// check is one rule. It reads the draft's parameters and fills in what it has validated.
type check struct {
	check func(*draft) error
	kinds Kind
}

// checks run top to bottom, after client and redirect URI are proven; the first error wins.
var checks = []check{
	{(*draft).repeated, Authorize},     // RFC 6749 §3.1
	{(*draft).characters, Authorize},   // RFC 6749 appendix A
	{(*draft).unsupported, Authorize},  // OIDC Core §3.1.2.6
	{(*draft).state, Authorize},        // RFC 6749 §4.1.1
	{(*draft).responseType, Authorize}, // RFC 6749 §3.1.1
	{(*draft).responseMode, Authorize}, // OAuth 2.0 Multiple Response Types §2.1
	{(*draft).scope, Authorize},        // RFC 6749 §3.3
	{(*draft).pkce, Authorize},         // RFC 7636 §4.3, RFC 9700 §2.1.1
	{(*draft).nonce, Authorize},        // OIDC Core §3.1.2.1
	{(*draft).prompt, Authorize},       // OIDC Core §3.1.2.1
	{(*draft).maxAge, Authorize},       // OIDC Core §3.1.2.1
	{(*draft).display, Authorize},      // OIDC Core §3.1.2.1
	{(*draft).locales, Authorize},      // OIDC Core §3.1.2.1, §5.2
	{(*draft).loginHint, Authorize},    // OIDC Core §3.1.2.1
	{(*draft).acr, Authorize},          // OIDC Core §3.1.2.1
	{(*draft).claims, Authorize},       // OIDC Core §5.5
	{(*draft).idTokenHint, Authorize},  // OIDC Core §3.1.2.1
	{(*draft).resource, Authorize},     // RFC 8707 §2
	{(*draft).shown, Authorize},        // refuses nothing
}

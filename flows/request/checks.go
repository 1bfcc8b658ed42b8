package request

// check is one rule. It reads the draft's parameters and fills in what it has validated.
type check struct {
	check func(*draft) error
	kinds Kind
}

// checks run top to bottom, after client and redirect URI are proven; the first error wins.
var checks = []check{
	{(*draft).repeated, everyKind},                                        // RFC 6749 §3.1
	{(*draft).fitsProfile, everyKind},                                     // the profile of tenant or client
	{(*draft).mayBackchannel, Backchannel},                                // CIBA Core §4
	{(*draft).signedBackchannel, Backchannel},                             // CIBA Core §7.1.1
	{(*draft).characters, everyKind},                                      // RFC 6749 appendix A
	{(*draft).mayDevice, Device},                                          // RFC 8628 §3.1
	{(*draft).mayChallenge, Challenge},                                    // First-Party Applications §2
	{(*draft).noReference, Pushed},                                        // RFC 9126 §2.1
	{(*draft).mustPush, Authorize},                                        // RFC 9126 §5
	{(*draft).mustSign, Authorize | Pushed},                               // RFC 9101 §10.5
	{(*draft).unsupported, Authorize | Pushed | Challenge},                // OIDC Core §3.1.2.6
	{(*draft).state, Authorize | Pushed | Challenge},                      // RFC 6749 §4.1.1
	{(*draft).responseType, Authorize | Pushed},                           // RFC 6749 §3.1.1
	{(*draft).codeOnly, Challenge},                                        // First-Party Applications §5.1
	{(*draft).responseMode, Authorize | Pushed},                           // OAuth 2.0 Multiple Response Types §2.1
	{(*draft).signedResponse, Authorize | Pushed},                         // JARM, where a profile demands it
	{(*draft).scope, Authorize | Pushed | Backchannel | Device},           // RFC 6749 §3.3
	{(*draft).heldScope, Challenge},                                       // RFC 6749 §3.3
	{(*draft).frontChannel, Authorize | Pushed},                           // OIDC Core §3.2.2.1, §3.3.2.11
	{(*draft).openID, Backchannel},                                        // CIBA Core §7.1
	{(*draft).oneHint, Backchannel},                                       // CIBA Core §7.1
	{(*draft).pkce, Authorize | Pushed | Challenge},                       // RFC 7636 §4.3, RFC 9700 §2.1.1
	{(*draft).dpopJKT, Authorize | Pushed | Challenge},                    // RFC 9449 §10
	{(*draft).nonce, Authorize | Pushed | Challenge},                      // OIDC Core §3.1.2.1
	{(*draft).prompt, Authorize | Pushed | Challenge},                     // OIDC Core §3.1.2.1
	{(*draft).maxAge, Authorize | Pushed | Challenge | Device},            // OIDC Core §3.1.2.1
	{(*draft).display, Authorize | Pushed},                                // OIDC Core §3.1.2.1
	{(*draft).locales, Authorize | Pushed | Challenge},                    // OIDC Core §3.1.2.1, §5.2
	{(*draft).loginHint, Authorize | Pushed | Backchannel | Challenge},    // OIDC Core §3.1.2.1
	{(*draft).loginHintToken, Backchannel},                                // CIBA Core §7.1
	{(*draft).acr, everyKind},                                             // OIDC Core §3.1.2.1
	{(*draft).claims, Authorize | Pushed | Challenge},                     // OIDC Core §5.5
	{(*draft).purpose, Authorize | Pushed},                                // Identity Assurance
	{(*draft).idTokenHint, Authorize | Pushed | Backchannel | Challenge},  // OIDC Core §3.1.2.1
	{(*draft).notificationToken, Backchannel},                             // CIBA Core §7.1
	{(*draft).bindingMessage, Backchannel},                                // CIBA Core §7.1
	{(*draft).userCode, Backchannel},                                      // CIBA Core §7.1
	{(*draft).requestedExpiry, Backchannel},                               // CIBA Core §7.1
	{(*draft).requestContext, Backchannel},                                // FAPI CIBA §5.2.2
	{(*draft).resource, everyKind},                                        // RFC 8707 §2
	{(*draft).details, everyKind},                                         // RFC 9396 §2
	{(*draft).grantManagement, Authorize | Pushed | Backchannel | Device}, // Grant Management for OAuth 2.0 §5.1
	{(*draft).shown, Authorize | Pushed},                                  // refuses nothing
}

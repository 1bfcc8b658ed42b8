package grant

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// IDTokenType is the typ of an ID token.
const IDTokenType = "JWT"

// IDToken is what an ID token is made of beside the grant.
type IDToken struct {
	Client       *tenant.Client
	Accounts     Accounts
	AccessToken  string // for at_hash
	RefreshToken string // for rt_hash, where the tokens are pushed
	Code         string // for c_hash, where it is given beside the ID token
	State        string // for s_hash, likewise
	First        bool   // of the grant: it has the lifetime, the nonce and the preset claims of the grant
}

// IDTokenLife is how long an ID token of g for that client lives: the first of the grant as the grant has it, else as the client
// or the tenant.
func IDTokenLife(t *tenant.Tenant, g *Grant, client *tenant.Client, first bool) time.Duration {
	if l := g.Terms.IDToken.Lifetime; first && l > 0 {
		return time.Duration(l) * time.Second
	}
	if l := client.IDTokenLifetime; l > 0 {
		return time.Duration(l) * time.Second
	}
	return t.Settings.IDTokenLifetime()
}

// MintIDToken mints an ID token of grant g (OIDC Core §2, §12.2), signed and encrypted as the client has it. Errors are
// those of Seal.
func (i *Issuer) MintIDToken(ctx context.Context, t *tenant.Tenant, g *Grant, d IDToken) (string, error) {
	t = t.At(g.Terms.Face)
	now, life, p := i.Now(), IDTokenLife(t, g, d.Client, d.First), ForIDToken(t, d.Client)
	if p.Alg == keys.None && d.Code != "" {
		return "", errOff // it comes through the browser (OIDC Core §3.3.2.11)
	}
	var ofSession, gathered, preset map[string]json.RawMessage
	var err error
	if g.Terms.Login.SessionClaims != nil {
		err = json.Unmarshal(g.Terms.Login.SessionClaims, &ofSession)
	}
	if d.First {
		preset = g.Terms.PresetIDToken
	}
	if err == nil {
		gathered, err = i.Gather(ctx, t, d.Accounts, Inquiry{Grant: g, Client: d.Client, Scope: g.Terms.Scope, Place: InIDToken, Names: g.Terms.IDTokenClaims}, ofSession, preset)
	}
	if err != nil {
		return "", err
	}
	claims := map[string]any{}
	for _, set := range []map[string]json.RawMessage{ofSession, gathered, preset} {
		for name, v := range set {
			if Presettable(name) {
				claims[name] = v
			}
		}
	}
	claims["iss"], claims["sub"], claims["aud"] = t.Issuer, g.SubjectFor(t, d.Client), g.ClientID
	if g.Terms.IDToken.AudienceList {
		claims["aud"] = []string{g.ClientID}
	}
	claims["iat"], claims["exp"] = now.Unix(), now.Add(life).Unix()
	l, pushed := &g.Terms.Login, g.Terms.IDToken.AuthReqID != ""
	for _, c := range []struct {
		name string
		on   bool
		v    any
	}{
		{"auth_time", l.TellAuthTime && l.AuthTime != 0, l.AuthTime},
		{"acr", l.ACR != "", l.ACR},
		{"amr", len(l.AMR) > 0, l.AMR},
		{"nonce", d.First && l.Nonce != "", l.Nonce},
		{"at_hash", d.AccessToken != "", halfHash(p.Alg, d.AccessToken)},
		{"c_hash", d.Code != "", halfHash(p.Alg, d.Code)},
		{"s_hash", d.State != "", halfHash(p.Alg, d.State)},
		{authReqIDClaim, pushed, g.Terms.IDToken.AuthReqID},
		{rtHashClaim, pushed && d.RefreshToken != "", halfHash(p.Alg, d.RefreshToken)},
		{"act", g.Acting() != nil, g.Acting().For(t, d.Client)},
		{"may_act", g.MayAct() != nil, g.MayAct().For(t, d.Client)},
	} {
		if c.on {
			claims[c.name] = c.v
		}
	}
	if g.SessionID != "" {
		claims["sid"] = SID(t, g.SessionID, g.ClientID)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	jwt, err := i.Seal(ctx, t, d.Client, p, IDTokenType, payload)
	if err == nil {
		i.Count(t, g, IDTokens)
	}
	return jwt, err
}

// SubjectFor is sub as ID tokens and UserInfo tell it to c, the client of g (OIDC Core §5.3.2, §8): the one that was given
// for them, else g's subject by c's subject type.
func (g *Grant) SubjectFor(t *tenant.Tenant, c *tenant.Client) string {
	if g.Terms.IDToken.Subject != "" {
		return g.Terms.IDToken.Subject
	}
	return t.SubjectFor(c, g.Subject)
}

// ParseIDToken returns the subject of an ID token that t issued to the client, expired or not (OIDC Core §3.1.2.1,
// id_token_hint). A token that is none is ErrNotFound, and so is one that its client could have made itself.
func (i *Issuer) ParseIDToken(ctx context.Context, t *tenant.Tenant, clientID, token string) (sub string, err error) {
	h, err := i.ParseIDTokenHint(ctx, t, token)
	if err == nil && (h.Shared || !slices.Contains(h.ClientIDs, clientID)) {
		err = ErrNotFound
	}
	if err != nil {
		return "", err
	}
	return h.Subject, nil
}

// ParseIDTokenHint returns what an ID token says that t issued to whomever, expired or not (RP-Initiated Logout §2). The
// token may be encrypted to one of t's own keys. A token that is none is ErrNotFound, and so is one without signature.
func (i *Issuer) ParseIDTokenHint(ctx context.Context, t *tenant.Tenant, token string) (Hint, error) {
	if keys.IsEncrypted(token) {
		allowed := t.Settings.Decryptable()
		if len(allowed) == 0 {
			return Hint{}, ErrNotFound
		}
		plain, err := t.Keys.Decrypt(i.Now(), token, allowed...)
		if err != nil {
			return Hint{}, ErrNotFound
		}
		token = string(plain)
	}
	payload, err := t.Keys.Verify(i.Now(), IDTokenType, token)
	if err != nil {
		payload, err = t.Keys.VerifyForeign(i.Now(), token)
	}
	ours := err == nil
	if !ours {
		j, err := keys.ParseSigned(token)
		if err != nil || !j.Alg.HMAC() || !t.Settings.Signing.HMAC || !j.HasType(IDTokenType) {
			return Hint{}, ErrNotFound
		}
		payload = j.Payload
	}
	var c idClaims
	if json.Unmarshal(payload, &c) != nil || c.Issuer != t.Issuer || c.Subject == "" || c.ExpiresAt == 0 {
		return Hint{}, ErrNotFound
	}
	client := nobody
	if len(c.Audience) == 1 { // as in all of ours
		if client, err = clientOf(ctx, t, c.Audience[0]); err != nil {
			return Hint{}, err
		}
	}
	if !ours {
		j, _ := keys.ParseSigned(token)
		if j.Alg != t.Settings.IDTokenAlg(client) || client.CheckHMAC(j, i.Now(), j.Alg) != nil {
			return Hint{}, ErrNotFound
		}
	}
	return Hint{t.SubjectOf(client, c.Subject), c.SID, c.Audience, !ours}, nil
}

// idClaims are those of an ID token that a hint is known by. A UserInfo answer has no exp (OIDC Core §5.3.2).
type idClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	SID       string   `json:"sid"`
	Audience  audience `json:"aud"`
	ExpiresAt int64    `json:"exp"`
}

// nobody stands for a client that is gone: it registered nothing.
var nobody = &tenant.Client{}

// clientOf is the client of that id, or nobody.
func clientOf(ctx context.Context, t *tenant.Tenant, id string) (*tenant.Client, error) {
	if t.Clients == nil {
		return nobody, nil
	}
	c, err := t.Clients.Client(ctx, id)
	if errors.Is(err, tenant.ErrNoClient) {
		return nobody, nil
	}
	return c, err
}

package request

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// HintTokenType is the type of a login_hint_token that is a JWT of ours to read, so that no other JWT is taken for one.
const HintTokenType = "login-hint+jwt"

// maxHintToken is the longest time that a login_hint_token may be good for from now.
const maxHintToken = 24 * time.Hour

var errHintToken = oauth.InvalidRequest("login_hint_token is not signed by the client as it must be, or malformed")

// subjectIdentifier says whom a token is about (RFC 9493 §3). Of its formats two mean something here: iss_sub with this
// issuer, and opaque for what login_hint would say.
type subjectIdentifier struct {
	Format  string `json:"format"`
	ID      string `json:"id,omitempty"`
	Issuer  string `json:"iss,omitempty"`
	Subject string `json:"sub,omitempty"`
}

// OpenHintToken reads a login_hint_token that client signed with one of its keys (CIBA Core §7.1), or we did for it, and returns whom it is
// about: a sub of this issuer, or what login_hint would say. The error is an *oauth.Error of CIBA Core §13.
func (s *Service) OpenHintToken(ctx context.Context, t *tenant.Tenant, client *tenant.Client, token string) (sub, hint string, err error) {
	if len(token) > maxHint {
		return "", "", errHintToken
	}
	if j, err := keys.ParseSigned(token); err == nil && isOwn(t, j) {
		sub, err = s.ownHint(t, client, token)
		return sub, "", err
	}
	if s.Keys == nil {
		return "", "", errHintToken
	}
	d := &draft{service: s, ctx: ctx, tenant: t, client: client}
	o := &object{}
	if o.signed, err = keys.ParseSigned(token); err == nil && (o.signed.Alg == keys.None || o.signed.Alg.HMAC()) {
		err = errUnsigned
	}
	if err == nil && !o.signed.HasType(HintTokenType) {
		err = errType
	}
	if err == nil {
		err = d.verify(o.signed, "")
	}
	if err == nil {
		err = json.Unmarshal(o.signed.Payload, &o.claims)
	}
	if err != nil {
		if e := oauth.ErrorOf(err); e.Code == "temporarily_unavailable" {
			return "", "", err
		}
		return "", "", errHintToken.Because(err)
	}
	return o.hint(t, client, s.Now())
}

// hint is whom o is about, if it is client's for t at now.
func (o *object) hint(t *tenant.Tenant, client *tenant.Client, now time.Time) (sub, hint string, err error) {
	c, err := o.claimed()
	if err != nil {
		return "", "", errHintToken.Because(err)
	}
	if !c.exp.IsZero() && !now.Before(c.exp) {
		return "", "", oauth.ExpiredLoginHintToken("login_hint_token has expired")
	}
	if err := c.check(t, client, now, true); err != nil || c.exp.IsZero() || c.exp.After(now.Add(maxHintToken)) {
		return "", "", errHintToken.Because(err)
	}
	var id subjectIdentifier
	if err := json.Unmarshal(o.claims["sub_id"], &id); err != nil {
		return "", "", errHintToken.Because(err)
	}
	switch {
	case id.Format == "iss_sub" && id.Issuer == t.Issuer && id.Subject != "" && len(id.Subject) <= maxLoginHint && !notText(id.Subject):
		return id.Subject, "", nil
	case id.Format == "opaque" && id.ID != "" && len(id.ID) <= maxLoginHint && !notText(id.ID):
		return "", id.ID, nil
	}
	return "", "", errHintToken
}

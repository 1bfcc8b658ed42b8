package connect2id

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// authorization is what a subject allowed a client. Times are Unix seconds, lifetimes seconds.
type authorization struct {
	wire.Closed
	Sub string                     `json:"sub"`
	Act string                     `json:"act,omitempty"`
	CID string                     `json:"cid"`
	Scp []string                   `json:"scp"`           // of the last grant
	Scs []string                   `json:"scs,omitempty"` // remembered
	Clm []string                   `json:"clm,omitempty"`
	Cls []string                   `json:"cls,omitempty"` // remembered
	Cll []string                   `json:"cll,omitempty"`
	Cld json.RawMessage            `json:"cld,omitempty"`
	Aud []string                   `json:"aud,omitempty"`
	IRT *bool                      `json:"irt,omitempty"`
	RTL int64                      `json:"rtl"`
	RTM int64                      `json:"rtm,omitempty"`
	RTR *bool                      `json:"rtr,omitempty"`
	IDR bool                       `json:"idr,omitempty"`
	ATL int64                      `json:"atl"`
	ATE string                     `json:"ate,omitempty"`
	ATC bool                       `json:"atc,omitempty"`
	ATS string                     `json:"ats,omitempty"`
	UIP map[string]json.RawMessage `json:"uip,omitempty"`
	Dat json.RawMessage            `json:"dat,omitempty"`
	Iss string                     `json:"iss,omitempty"`
	Iat int64                      `json:"iat,omitempty"`
	Uat int64                      `json:"uat,omitempty"`
	Rts json.RawMessage            `json:"rts,omitempty"` // in records from elsewhere; they say nothing here
	Rti json.RawMessage            `json:"rti,omitempty"`
}

// mountAuthorizations registers the calls by which the tenant's backend looks after what its subjects allowed.
func (d *Door) mountAuthorizations(r *wire.Router) {
	at := func(method, path string, h func(*Door, *call) error) {
		r.API(method, "/authz-store/rest/v3"+path, tenant.GrantAPI, func(c *gin.Context, t *tenant.Tenant) {
			wire.EventOf(c).Flow("access")
			if err := h(d, &call{Context: c, tenant: t, version: versions[len(versions)-1]}); err != nil {
				switch {
				case errors.Is(err, grant.ErrNotFound):
					err = &wire.Status{Err: errNoAuthorization.Because(err), HTTP: http.StatusNotFound}
				case errors.Is(err, tenant.ErrNoClient):
					err = errNoClient.Because(err)
				}
				wire.Error(c, err)
			}
		})
	}
	at(http.MethodGet, "/authorizations", (*Door).authorizations)
	at(http.MethodPost, "/authorizations", (*Door).authorize)
	at(http.MethodPut, "/authorizations", (*Door).amendAuthorization)
	at(http.MethodGet, "/authorizations/count", (*Door).countAuthorizations)
	at(http.MethodGet, "/subjects", (*Door).consenting)
	at(http.MethodGet, "/subjects/count", (*Door).countConsenting)
	at(http.MethodGet, "/clients", (*Door).consented)
	at(http.MethodGet, "/clients/count", (*Door).countConsented)
	at(http.MethodPost, "/revocation", (*Door).revoke)
	at(http.MethodPost, "/inspection", (*Door).inspect)
	at(http.MethodGet, "/auth-req-ids", (*Door).authReqIDs)
}

var (
	errNoAuthorization = &oauth.Error{Code: "authorization_not_found", Description: "The token is unknown, expired or revoked"}
	errNoClient        = oauth.InvalidRequest("cid names a client that is unknown or disabled")
	errWhose           = oauth.InvalidRequest("subject, client_id or actor must be given")
	errReturn          = oauth.InvalidRequest("return must be code or tokens")
	errUnknownRecord   = &wire.Status{Err: &oauth.Error{Code: "authorization_not_found", Description: "Nothing is on record for sub, cid and act"}, HTTP: http.StatusNotFound}
	errRevoke          = oauth.InvalidRequest("Either a token, or some of subject, client_id and actor must be given")
	errTimestamp       = oauth.InvalidRequest("timestamp must be a time in Unix seconds, and is not for a token")
	errRevokeParameter = oauth.InvalidRequest("A parameter is none of subject, client_id, actor, timestamp, access_token and refresh_token")
	errQuiet           = oauth.InvalidRequest("quiet must be true or false")
	errOneToken        = oauth.InvalidRequest("Exactly one of access_token, refresh_token and auth_req_id must be given")
)

// show writes terms of a grant.
func (a *authorization) show(terms *grant.Terms) {
	a.Scp, a.Clm, a.Cll, a.Cld, a.Aud = list(terms.Scope), append(terms.Claims[:len(terms.Claims):len(terms.Claims)], authorize.FedClaims(terms)...), terms.ClaimsLocales, terms.ClaimsData, terms.Audience
	a.IRT, a.RTL, a.RTR, a.IDR = &terms.RefreshToken.Issue, terms.RefreshToken.Lifetime, terms.RefreshToken.Rotate, terms.IDToken.AllowRefresh
	a.RTM = max(terms.RefreshToken.MaxIdle, 0)
	a.ATL, a.ATE, a.ATC, a.ATS = terms.AccessToken.Lifetime, terms.AccessToken.Encoding, terms.AccessToken.Encrypt, "PUBLIC"
	a.UIP, a.Dat = terms.PresetUserInfo, terms.Data
}

// remembered writes what is on record.
func (c *call) remembered(zs []grant.Authorization) ([]authorization, error) {
	out := make([]authorization, len(zs))
	for i, z := range zs {
		var terms grant.Terms
		if len(z.Terms) > 0 {
			if err := json.Unmarshal(z.Terms, &terms); err != nil {
				return nil, err
			}
		}
		out[i] = authorization{Sub: z.Subject, Act: z.Actor, CID: z.ClientID, Scs: list(z.Scope), Cls: z.Claims, Iss: c.tenant.Issuer, Iat: z.CreatedAt.Unix(), Uat: z.UpdatedAt.Unix()}
		out[i].show(&terms)
	}
	return out, nil
}

// authorizations lists what is on record of a subject, a client or an actor.
func (d *Door) authorizations(c *call) error {
	q, err := wire.Query(c.Context)
	if err != nil {
		return err
	}
	sub, client, actor := q.Get("subject"), q.Get("client_id"), q.Get("actor")
	if sub == "" && client == "" && actor == "" {
		return errWhose
	}
	zs, err := d.Access.Authorizations(c.Request.Context(), c.tenant, sub, client, actor)
	if err != nil {
		return err
	}
	out, err := c.remembered(zs)
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, out)
	return nil
}

// authorize records that a subject allows a client something, and gives the tokens: a direct authorization.
func (d *Door) authorize(c *call) error {
	q, err := wire.Query(c.Context)
	if err != nil {
		return err
	}
	code := q.Get("return") == "" || q.Get("return") == "code"
	if !code && q.Get("return") != "tokens" {
		return errReturn
	}
	r, _, err := c.readAuthorization()
	if err != nil {
		return err
	}
	by := c.by()
	r.Actor, r.Address, r.Code = by.Actor, by.Address, code
	out, err := d.Authorize.Direct(c.Request.Context(), c.tenant, r)
	if err != nil {
		return err
	}
	if code {
		wire.JSON(c.Context, http.StatusOK, map[string]string{"code": out.Code})
		return nil
	}
	wire.JSON(c.Context, http.StatusOK, directResponse{AccessToken: out.AccessToken, TokenType: out.TokenType, ExpiresIn: int64(out.ExpiresIn.Seconds()),
		RefreshToken: out.RefreshToken, Scope: out.Scope.String()})
	return nil
}

// readAuthorization reads a record, and says it in the flow's words too.
func (c *call) readAuthorization() (r authorize.DirectRequest, in authorization, err error) {
	if err := wire.ReadJSON(c.Context, maxBody, &in); err != nil {
		return r, in, err
	}
	wire.EventOf(c.Context).Client(in.CID)
	asked := directRequest{Sub: in.Sub, ClientID: in.CID, Scope: in.Scp, Audience: in.Aud, Claims: in.Clm, ClaimsLocales: in.Cll, ClaimsData: in.Cld, LongLived: true,
		PresetClaims: presetClaims{UserInfo: in.UIP}, RefreshToken: refreshToken{Issue: in.IRT, Lifetime: in.RTL, MaxIdle: in.RTM, Rotate: in.RTR},
		AccessToken: accessToken{Lifetime: in.ATL, Encoding: in.ATE, Encrypt: in.ATC, SubType: in.ATS}, IDToken: idToken{AllowRefresh: in.IDR}, Data: in.Dat}
	if in.Act != "" {
		asked.Sub, asked.ImpersonatedSub = in.Act, in.Sub
	}
	switch {
	case in.Sub == "":
		return r, in, oauth.InvalidRequest("sub is missing")
	case in.CID == "":
		return r, in, oauth.InvalidRequest("cid is missing")
	case in.Scp == nil:
		return r, in, oauth.InvalidRequest("scp is missing")
	}
	r, err = asked.request()
	return r, in, err
}

// revocations are the parameters of a revocation. An unknown one may be a condition that was mistyped.
var revocations = []string{"subject", "client_id", "actor", "timestamp", "access_token", "refresh_token"}

// revoke forgets what a subject allowed, or what a token belongs to, and revokes all that came of it.
func (d *Door) revoke(c *call) error {
	q, err := wire.Query(c.Context)
	if err != nil {
		return err
	}
	if quiet := q.Get("quiet"); quiet != "" && quiet != "true" && quiet != "false" {
		return errQuiet
	}
	f, err := wire.Form(c.Context, maxBody)
	if err != nil {
		return err
	}
	for name := range f {
		if !slices.Contains(revocations, name) {
			return errRevokeParameter
		}
	}
	what, token := access.Renouncement{Subject: f.Get("subject"), ClientID: f.Get("client_id"), Actor: f.Get("actor")}, f.Get("access_token")+f.Get("refresh_token")
	if (what.Subject+what.ClientID+what.Actor == "") == (token == "") || f.Get("access_token") != "" && f.Get("refresh_token") != "" {
		return errRevoke
	}
	if f.Has("timestamp") {
		at, err := strconv.ParseInt(f.Get("timestamp"), 10, 64)
		if err != nil || at < 0 || at > latest || token != "" {
			return errTimestamp.Because(err)
		}
		what.Until = time.Unix(at, 0).UTC()
	}
	by := access.By(c.by())
	var zs []grant.Authorization
	if token != "" {
		zs, err = d.Access.ForgetToken(c.Request.Context(), c.tenant, token, by)
	} else {
		zs, err = d.Access.Forget(c.Request.Context(), c.tenant, what, by)
	}
	if err != nil {
		return err
	}
	if len(zs) == 0 || q.Get("quiet") == "true" {
		wire.NoContent(c.Context)
		return nil
	}
	out, err := c.remembered(zs)
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, out)
	return nil
}

// inspect shows what a token belongs to.
func (d *Door) inspect(c *call) error {
	f, err := wire.Form(c.Context, maxBody)
	if err != nil {
		return err
	}
	given := 0
	for _, name := range []string{"access_token", "refresh_token", "auth_req_id"} {
		if f.Get(name) != "" {
			given++
		}
	}
	if given != 1 {
		return errOneToken
	}
	var g *grant.Grant
	if authReqID := f.Get("auth_req_id"); authReqID == "" {
		g, err = d.Access.Behind(c.Request.Context(), c.tenant, f.Get("access_token")+f.Get("refresh_token"))
	} else if id, ok := ciba.ParseAuthReqID(c.tenant, authReqID); ok {
		g, err = d.Access.Redeemable(c.Request.Context(), c.tenant, id)
	} else {
		err = grant.ErrNotFound
	}
	if err != nil {
		return err
	}
	out := authorization{Sub: g.Subject, Act: g.Actor, CID: g.ClientID, Iss: c.tenant.Issuer, Iat: g.CreatedAt.Unix()}
	out.show(&g.Terms)
	wire.JSON(c.Context, http.StatusOK, out)
	return nil
}

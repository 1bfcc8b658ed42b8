package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// operation is something that is done over and over. prepare, where there is one, is done once for each caller before.
type operation struct {
	name    string
	prepare func(context.Context, *caller) error
	do      func(context.Context, *caller) error
}

// operations are all there are, in the order of the budgets in docs/design.md.
var operations = []operation{
	{"discovery", nil, func(ctx context.Context, c *caller) error {
		return c.get(ctx, c.tenant(), "/.well-known/openid-configuration", "", nil)
	}},
	{"jwks", nil, func(ctx context.Context, c *caller) error { return c.get(ctx, c.tenant(), "/jwks.json", "", nil) }},
	{"client-credentials", nil, func(ctx context.Context, c *caller) error {
		return c.form(ctx, c.tenant(), "/token", http.StatusOK, values("grant_type", "client_credentials"), nil)
	}},
	{"introspection", holdAccess("SELF_CONTAINED"), introspect},
	{"introspection-opaque", holdAccess("IDENTIFIER"), introspect},
	{"userinfo", holdAccess("SELF_CONTAINED"), func(ctx context.Context, c *caller) error {
		return c.get(ctx, c.asked, "/userinfo", c.held, nil)
	}},
	{"refresh", holdRefresh, refresh},
	{"direct", nil, func(ctx context.Context, c *caller) error {
		_, err := c.direct(ctx, c.tenant(), "SELF_CONTAINED")
		return err
	}},
	{"par", nil, push},
	{"code-flow", nil, codeFlow},
}

func operationNames() []string {
	names := make([]string, len(operations))
	for i, o := range operations {
		names[i] = o.name
	}
	return names
}

// operationsNamed returns the operations of those names; all where there are none.
func operationsNamed(names []string) ([]operation, error) {
	if len(names) == 0 {
		return operations, nil
	}
	var ops []operation
	for _, n := range names {
		i := slices.IndexFunc(operations, func(o operation) bool { return o.name == n })
		if i < 0 {
			return nil, fmt.Errorf("%q is none of %s", n, strings.Join(operationNames(), ", "))
		}
		ops = append(ops, operations[i])
	}
	return ops, nil
}

// tokens is an answer of the token endpoint and of direct authorization.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// direct authorizes the tenant's client for its user without asking anybody.
func (c *caller) direct(ctx context.Context, t *tenant, encoding string) (tokens, error) {
	var out tokens
	_, err := c.integrate(ctx, t, http.MethodPost, "/direct-authz/rest/v2", http.StatusOK, map[string]any{
		"sub": t.User.Subject, "client_id": t.Client.ID, "scope": []string{"openid", "profile", "offline_access"}, "long_lived": true,
		"access_token": map[string]any{"encoding": encoding, "lifetime": 3600}, "refresh_token": map[string]any{"issue": true},
	}, &out)
	return out, err
}

// holdAccess returns a preparation that lets the caller hold an access token.
func holdAccess(encoding string) func(context.Context, *caller) error {
	return func(ctx context.Context, c *caller) error {
		c.asked = c.tenant()
		out, err := c.direct(ctx, c.asked, encoding)
		c.held = out.Access
		return err
	}
}

func introspect(ctx context.Context, c *caller) error {
	var out struct {
		Active bool `json:"active"`
	}
	err := c.form(ctx, c.asked, "/token/introspect", http.StatusOK, values("token", c.held), &out)
	if err == nil && !out.Active {
		err = &unexpected{http.StatusOK, "inactive", "/token/introspect"}
	}
	return err
}

func holdRefresh(ctx context.Context, c *caller) error {
	c.asked = c.tenant()
	out, err := c.direct(ctx, c.asked, "SELF_CONTAINED")
	c.held = out.Refresh
	return err
}

// refresh rotates the refresh token that the caller holds. One that is lost with its answer is repeated: within the
// grace it gets the same successor.
func refresh(ctx context.Context, c *caller) error {
	var out tokens
	if err := c.form(ctx, c.asked, "/token", http.StatusOK, values("grant_type", "refresh_token", "refresh_token", c.held), &out); err != nil {
		return err
	}
	c.held = out.Refresh
	return nil
}

// verifier is the code verifier of every request (RFC 7636 §4.1): what is measured here keeps no secret.
const verifier = "a-verifier-of-forty-three-characters-or-more"

// request are the parameters of an authorization request of t's client.
func request(t *tenant) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return values("response_type", "code", "client_id", t.Client.ID, "redirect_uri", t.Client.RedirectURIs[0],
		"scope", "openid profile offline_access", "state", "s", "nonce", "n",
		"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256")
}

func push(ctx context.Context, c *caller) error {
	t := c.tenant()
	return c.form(ctx, t, "/par", http.StatusCreated, request(t), nil)
}

// codeFlow is a whole code flow with PKCE through authorization sessions: start, subject, consent, token, UserInfo.
func codeFlow(ctx context.Context, c *caller) error {
	const sessions = "/authz-sessions/rest/v1"
	t := c.tenant()
	var prompt struct {
		SID  string `json:"sid"`
		Type string `json:"type"`
	}
	if _, err := c.integrate(ctx, t, http.MethodPost, sessions, http.StatusOK, map[string]any{"query": request(t).Encode()}, &prompt); err != nil {
		return err
	}
	subject := map[string]any{"sub": c.subject, "acr": "1", "amr": []string{"pwd"}}
	if _, err := c.integrate(ctx, t, http.MethodPut, sessions+"/"+prompt.SID, http.StatusOK, subject, &prompt); err != nil {
		return err
	}
	consent := map[string]any{"scope": []string{"openid", "profile", "offline_access"}, "claims": []string{"name"}}
	h, err := c.integrate(ctx, t, http.MethodPut, sessions+"/"+prompt.SID, http.StatusFound, consent, nil)
	if err != nil {
		return err
	}
	to, err := url.Parse(h.Get("Location"))
	if err != nil {
		return err
	}
	var out tokens
	redeem := values("grant_type", "authorization_code", "code", to.Query().Get("code"), "redirect_uri", t.Client.RedirectURIs[0], "code_verifier", verifier)
	if err := c.form(ctx, t, "/token", http.StatusOK, redeem, &out); err != nil {
		return err
	}
	return c.get(ctx, t, "/userinfo", out.Access, nil)
}

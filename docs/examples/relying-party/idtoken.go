package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"
)

var errIDToken = errors.New("the ID token is not valid")

// verify checks an ID token (OIDC Core §3.1.3.7): signed with RS256 by a key of the provider, from this issuer, for this
// client, alive, and with the nonce of this attempt. It returns its claims.
func (a *app) verify(ctx context.Context, at attempt, token string) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errIDToken
	}
	var header struct{ Alg, Kid string }
	var claims map[string]any
	if decode(parts[0], &header) != nil || decode(parts[1], &claims) != nil || header.Alg != "RS256" {
		return nil, errIDToken
	}
	key, err := a.key(ctx, at.metadata.JWKS, header.Kid)
	if err != nil {
		return nil, err
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, errIDToken
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return nil, errIDToken
	}
	exp, _ := claims["exp"].(float64)
	aud, _ := claims["aud"].([]any)
	mine := claims["aud"] == at.provider.Client.ID || len(aud) == 1 && aud[0] == at.provider.Client.ID
	if claims["iss"] != at.metadata.Issuer || !mine || claims["nonce"] != at.nonce || a.now().After(time.Unix(int64(exp), 0)) {
		return nil, errIDToken
	}
	return claims, nil
}

// key fetches the provider's public key of that id.
func (a *app) key(ctx context.Context, jwks, kid string) (*rsa.PublicKey, error) {
	type jwk struct{ Kty, Kid, Use, N, E string }
	var set struct{ Keys []jwk }
	if err := a.get(ctx, jwks, "", &set); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(set.Keys, func(k jwk) bool { return k.Kid == kid && k.Kty == "RSA" && k.Use == "sig" })
	if i < 0 {
		return nil, errIDToken
	}
	n, err := base64.RawURLEncoding.DecodeString(set.Keys[i].N)
	e, err2 := base64.RawURLEncoding.DecodeString(set.Keys[i].E)
	if errors.Join(err, err2) != nil || len(e) > 4 {
		return nil, errIDToken
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
}

func decode(segment string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

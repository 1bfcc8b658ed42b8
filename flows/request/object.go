package request

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// ClientKeys finds the public keys of clients: tenant.ClientKeys.
type ClientKeys interface {
	Of(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, error)
	Again(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, bool)
}

// Limits of a request object and its reference (RFC 9101 §5.2), in bytes.
const (
	maxObject     = 32 << 10
	maxRequestURI = 512
)

// objectTypes are the types that a request object may have (RFC 9101 §10.8): its own, the usual one, or none.
var objectTypes = []string{"oauth-authz-req+jwt", "JWT", ""}

// What is wrong with a request object. The causes are for the operator.
var (
	errObject    = oauth.InvalidRequestObject("the request object is malformed, or not signed or encrypted as it must be")
	errReference = oauth.InvalidRequestURI("request_uri is not registered, or leads to no request object")
	errUnsigned  = errors.New("unsigned, or with an algorithm that the client may not use")
	errOpens     = errors.New("encrypted otherwise than the client registered, or the tenant allows")
	errType      = errors.New("of another type")
)

// sendsObject reports whether the request comes as a JWT, by value or by reference, where that is supported at all.
func (d *draft) sendsObject() bool {
	return d.service.Keys != nil && (d.get("request") != "" || d.get("request_uri") != "")
}

// unpack puts what a request object says in the place of the parameters that were sent (RFC 9101 §5, §6.3), or, where the
// tenant has it so, before them (OIDC Core §6.1).
func (d *draft) unpack(kind Kind) error {
	for _, name := range []string{"request", "request_uri"} {
		if len(d.params[name]) > 1 {
			return oauth.InvalidRequest(name + " is repeated")
		}
	}
	compact := d.get("request")
	if uri := d.get("request_uri"); uri != "" {
		if compact != "" {
			return oauth.InvalidRequest("request and request_uri must not be used together")
		}
		var err error
		if compact, err = d.fetch(uri); err != nil {
			return err
		}
	}
	o, err := d.open(compact, d.client.RequestAlg)
	if err != nil {
		return err
	}
	if err := d.checkClaims(o); err != nil {
		return err
	}
	said, err := o.params()
	if err != nil {
		return err
	}
	d.objectSigned, d.Object = o.signed.Alg != keys.None, o.signed.Payload
	if kind == Pushed {
		if err := d.keepKey(said); err != nil {
			return err
		}
	}
	return d.replace(said)
}

// keepKey has a pushed request stay bound to the key that was proved with it (RFC 9449 §10.1), which cannot be in the request
// object unless the client put it there.
func (d *draft) keepKey(said url.Values) error {
	switch proved, inside := d.get("dpop_jkt"), said.Get("dpop_jkt"); {
	case proved == "":
	case inside != "" && inside != proved:
		return oauth.InvalidDPoPProof("dpop_jkt in the request object is not the key that was proved")
	default:
		said.Set("dpop_jkt", proved)
	}
	return nil
}

// replace makes said the parameters of the request.
func (d *draft) replace(said url.Values) error {
	merge := d.tenant.Settings.RequestObjects.Merge
	if id := said.Get("client_id"); id != d.client.ID && (id != "" || !merge) {
		return oauth.InvalidRequestObject("client_id in the request object is not that of the request")
	}
	if merge {
		outside := maps.Clone(d.params)
		delete(outside, "request")
		delete(outside, "request_uri")
		if sent := outside.Get("response_type"); sent != "" && said.Has("response_type") && oauth.ResponseType(sent) != oauth.ResponseType(said.Get("response_type")) {
			return oauth.InvalidRequestObject("response_type in the request object is not that of the request")
		}
		maps.Copy(outside, said)
		said = outside
	}
	said.Set("client_id", d.client.ID)
	d.params = said
	return nil
}

// fetch reads the request object at uri, which the client registered, through the guarded client. A fragment is the hash of
// what must be there (OIDC Core §6.2).
func (d *draft) fetch(uri string) (string, error) {
	at, hash, hashed := strings.Cut(uri, "#")
	known := slices.ContainsFunc(d.client.RequestURIs, func(r string) bool { return r == uri || r == at })
	if len(uri) > maxRequestURI || !known && !d.tenant.Settings.RequestObjects.AnyURI || d.service.Fetch == nil {
		return "", errReference
	}
	body, _, err := d.service.Fetch(d.ctx, string(d.tenant.ID), at, maxObject)
	if err != nil {
		return "", errReference.Because(err)
	}
	if sum := sha256.Sum256(body); hashed && hash != base64.RawURLEncoding.EncodeToString(sum[:]) {
		return "", oauth.InvalidRequestURI("what is at request_uri has another hash than its fragment says")
	}
	return strings.TrimSpace(string(body)), nil
}

// object is a request object taken apart (RFC 9101 §4). Its claims are what the client signed.
type object struct {
	signed *keys.Signed
	claims map[string]json.RawMessage // by their exact names: a struct would match them without case
}

// open decrypts and verifies a request object that the client signs with the algorithm it registered, or with any where it
// registered none (RFC 9101 §6.1, §6.2).
func (d *draft) open(compact, registered string) (*object, error) {
	if len(compact) > maxObject {
		return nil, errObject
	}
	if keys.IsEncrypted(compact) {
		plain, err := d.decrypt(compact)
		if err != nil {
			return nil, errObject.Because(err)
		}
		compact = string(plain)
	}
	o := &object{}
	var err error
	if strings.HasSuffix(compact, ".") {
		o.signed, err = keys.ParseUnsecured(compact)
	} else if o.signed, err = keys.ParseSigned(compact); err == nil && o.signed.Alg == keys.None {
		err = errUnsigned // it has a signature, which nobody would look at
	}
	if err != nil {
		return nil, errObject.Because(err)
	}
	types := objectTypes
	if d.tenant.Settings.RequestObjects.StrictType {
		types = types[:1]
	}
	if !o.signed.HasType(types...) {
		return nil, errObject.Because(errType)
	}
	if err := d.verify(o.signed, keys.Alg(registered)); err != nil {
		if errors.Is(err, oauth.Unavailable()) {
			return nil, err
		}
		return nil, errObject.Because(err)
	}
	if err := json.Unmarshal(o.signed.Payload, &o.claims); err != nil {
		return nil, errObject.Because(err)
	}
	return o, nil
}

// decrypt opens what is encrypted to a key of the tenant, or with the client's secret where it registered so.
func (d *draft) decrypt(compact string) ([]byte, error) {
	alg, enc, now := keys.Alg(d.client.RequestEncAlg), d.client.RequestEnc, d.service.Now()
	if alg.Shared() {
		return d.client.Decrypt(compact, now, keys.Encryption{Alg: alg, Enc: enc})
	}
	allowed := slices.DeleteFunc(d.tenant.Settings.Decryptable(), func(e keys.Encryption) bool {
		return alg != "" && e.Alg != alg || enc != "" && e.Enc != enc
	})
	if len(allowed) == 0 { // to the key set, none would mean all
		return nil, errOpens
	}
	return d.tenant.Keys.Decrypt(now, compact, allowed...)
}

// verify checks the signature by the client's keys or its secret.
func (d *draft) verify(j *keys.Signed, registered keys.Alg) error {
	s := d.tenant.Settings
	switch {
	case registered != "" && j.Alg != registered, !d.client.Demands.AllowsAlg(j.Alg):
		return errUnsigned
	case j.Alg == keys.None && s.RequestObjects.Unsigned:
		return nil
	case j.Alg.HMAC() && registered != "" && s.Signing.HMAC:
		return d.client.CheckHMAC(j, d.service.Now(), j.Alg)
	case j.Alg == keys.None, j.Alg.HMAC():
		return errUnsigned
	}
	set, err := d.service.Keys.Of(d.ctx, d.tenant.ID, d.client)
	switch {
	case errors.Is(err, tenant.ErrNoKeys) && d.client.JWKSURI != "":
		return oauth.Unavailable().Because(err)
	case err != nil:
		return err
	}
	err = set.Verify(j, keys.ClientAlgs()...)
	if errors.Is(err, keys.ErrNoSuchKey) {
		if newer, ok := d.service.Keys.Again(d.ctx, d.tenant.ID, d.client); ok {
			err = newer.Verify(j, keys.ClientAlgs()...)
		}
	}
	return err
}

// own are the claims of the JWT itself, which are no parameters (RFC 9101 §9.1).
var own = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// params are the parameters that o says. A parameter that is a number, an object or an array is written as JSON; resource
// may be an array of its values (RFC 8707 §2.1).
func (o *object) params() (url.Values, error) {
	out := url.Values{}
	for name, raw := range o.claims {
		var text string
		var many []string
		switch {
		case name == "request", name == "request_uri":
			return nil, oauth.InvalidRequestObject("a request object must not hold another")
		case slices.Contains(own, name), string(raw) == "null":
		case json.Unmarshal(raw, &text) == nil:
			out.Set(name, text)
		case name == "resource" && json.Unmarshal(raw, &many) == nil:
			out[name] = many
		default:
			var b bytes.Buffer
			if err := json.Compact(&b, raw); err != nil {
				return nil, errObject.Because(err)
			}
			out.Set(name, b.String())
		}
	}
	return out, nil
}

// mustSign demands a signed request object where client or tenant does (RFC 9101 §10.5). A pushed request was held to it when
// it was pushed.
func (d *draft) mustSign() error {
	if d.Pushed == nil && !d.objectSigned && (d.client.RequireSignedObject || d.tenant.Settings.RequestObjects.Required) {
		return oauth.InvalidRequest("the request must be in a signed request object")
	}
	return nil
}

// maxSkew is how far a client's clock may be ahead.
const maxSkew = 30 * time.Second

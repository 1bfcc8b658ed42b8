package keys

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Limits of a compact JWS, in bytes: of the whole, and of its protected header before it is encoded.
const (
	maxCompact = 16 << 10
	maxHeader  = 1 << 10
)

// The protected header members (RFC 7515 §4.1): these three and no others.
type header struct {
	Alg Alg    `json:"alg"`
	Kid string `json:"kid"`
	Typ string `json:"typ"`
}

var (
	// ErrNoKey says that no key of the algorithm is active.
	ErrNoKey = errors.New("keys: no key of this algorithm is active")
	// ErrTooLarge says that a token would exceed 16 KiB, or 32 when it is encrypted to others.
	ErrTooLarge = errors.New("keys: token is too large")

	errTyp     = errors.New("keys: typ is not a media type")
	errPayload = errors.New("keys: payload is not a JSON object")
)

// tracer is the name under which spans are recorded.
const tracer = "github.com/chancery-id/chancery/tenant/keys"

var base64url = base64.RawURLEncoding.Strict()

// Sign returns payload, a JSON object built with encoding/json, as a compact JWS (RFC 7515 §3.1), signed with the
// key of alg that is active at now. typ becomes the protected header of that name: a media type, usually without
// "application/", such as "JWT" or "at+jwt". It fails with ErrNoKey, with ErrTooLarge, or when ctx has ended.
//
// Where the span in ctx is recorded, the work is recorded as its child "keys.sign"; elsewhere no span is made.
func (s *Set) Sign(ctx context.Context, now time.Time, alg Alg, typ string, payload []byte) (string, error) {
	if parent := trace.SpanFromContext(ctx); parent.IsRecording() {
		return s.signTraced(ctx, parent.TracerProvider(), now, alg, typ, payload)
	}
	return s.sign(ctx, now, alg, typ, payload)
}

func (s *Set) signTraced(ctx context.Context, traces trace.TracerProvider, now time.Time, alg Alg, typ string, payload []byte) (string, error) {
	ctx, span := traces.Tracer(tracer).Start(ctx, "keys.sign",
		trace.WithAttributes(attribute.String("jws.alg", string(alg)), attribute.String("jws.typ", typ)))
	defer span.End()
	compact, err := s.sign(ctx, now, alg, typ, payload)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return compact, err
}

func (s *Set) sign(ctx context.Context, now time.Time, alg Alg, typ string, payload []byte) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	i := current(s.usable, alg, now)
	if i < 0 {
		return "", ErrNoKey
	}
	p := s.usable[i].pair
	head, err := p.header(typ)
	if err != nil {
		return "", err
	}
	if len(payload) == 0 || payload[0] != '{' || payload[len(payload)-1] != '}' {
		return "", errPayload
	}
	input := len(head) + base64url.EncodedLen(len(payload))
	size := input + 1 + base64url.EncodedLen(p.scheme.size(p.public))
	if size > maxCompact {
		return "", ErrTooLarge
	}
	out := make([]byte, size)
	base64url.Encode(out[copy(out, head):], payload)
	signature, err := p.scheme.sign(p.private(), out[:input])
	if err != nil {
		return "", fmt.Errorf("keys: signing with %s: %w", alg, err)
	}
	out[input] = '.'
	base64url.Encode(out[input+1:], signature)
	return string(out), nil
}

// header returns the encoded protected header for typ, with the dot that follows it.
func (p *pair) header(typ string) (string, error) {
	if h, ok := p.headers.load(typ); ok {
		return h, nil
	}
	if !mediaType(typ) {
		return "", errTyp
	}
	b, err := json.Marshal(header{p.alg, p.kid, typ})
	if err != nil {
		return "", err
	}
	h := base64url.EncodeToString(b) + "."
	p.headers.store(typ, h)
	return h, nil
}

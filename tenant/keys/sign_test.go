package keys

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

func TestASignedTokenVerifiesHereAndAtARelyingParty(t *testing.T) {
	for _, alg := range allAlgs {
		t.Run(string(alg), func(t *testing.T) {
			s := NewSet([]Key{key(alg)})
			for range 20 { // ECDSA signatures differ each time, and some have leading zeros
				token := mustSign(t, s, epoch, alg, "JWT", `{"sub":"alice"}`)
				if err := relyingParty(s.JWKS(epoch), token); err != nil {
					t.Fatalf("relying party: %v", err)
				}
				payload, err := s.Verify(epoch, "JWT", token)
				if err != nil || string(payload) != `{"sub":"alice"}` {
					t.Fatalf("Verify = %s, %v", payload, err)
				}
			}
		})
	}
}

func TestTheProtectedHeaderIsAlgKidAndTyp(t *testing.T) {
	k := key(ES256)
	token := mustSign(t, NewSet([]Key{k}), epoch, ES256, "at+jwt", `{}`)
	head, _, _ := strings.Cut(token, ".")
	got, err := decode(head)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"alg":"ES256","kid":"` + k.ID + `","typ":"at+jwt"}`; string(got) != want {
		t.Errorf("header = %s, want %s", got, want)
	}
}

func TestAnECSignatureHasFixedLengthAndTheLowerS(t *testing.T) {
	for alg, size := range map[Alg]int{ES256: 64, ES384: 96} {
		s := NewSet([]Key{key(alg)})
		half := key(alg).pair.scheme.(ecScheme).half
		for range 64 {
			token := mustSign(t, s, epoch, alg, "JWT", `{}`)
			sig, err := decode(token[strings.LastIndex(token, ".")+1:])
			if err != nil {
				t.Fatal(err)
			}
			if len(sig) != size {
				t.Fatalf("%s signature of %d bytes", alg, len(sig))
			}
			if new(big.Int).SetBytes(sig[size/2:]).Cmp(half) > 0 {
				t.Fatalf("%s signature with the higher S", alg)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	s := NewSet([]Key{key(ES256)})
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	room := maxCompact - len(mustSign(t, s, epoch, ES256, "JWT", `{}`)) // bytes of base64url that still fit
	filled := func(n int) string { return `{"a":"` + strings.Repeat("x", n) + `"}` }
	fits := room / 4 * 3

	for _, c := range []struct {
		rule    string
		ctx     context.Context
		alg     Alg
		typ     string
		payload string
		want    error
	}{
		{"an algorithm without a key", context.Background(), RS256, "JWT", `{}`, ErrNoKey},
		{"none", context.Background(), "none", "JWT", `{}`, ErrNoKey},
		{"an empty algorithm", context.Background(), "", "JWT", `{}`, ErrNoKey},
		{"an empty typ", context.Background(), ES256, "", `{}`, errTyp},
		{"a typ that would add a header member", context.Background(), ES256, `JWT","admin":"yes`, `{}`, errTyp},
		{"a typ with a parameter", context.Background(), ES256, "jwt;v=1", `{}`, errTyp},
		{"a typ with two slashes", context.Background(), ES256, "a/b/c", `{}`, errTyp},
		{"a typ that ends in a slash", context.Background(), ES256, "application/", `{}`, errTyp},
		{"a typ that is too long", context.Background(), ES256, strings.Repeat("t", maxTyp+1), `{}`, errTyp},
		{"a typ beyond ASCII", context.Background(), ES256, "at+jwt\u212a", `{}`, errTyp},
		{"an empty payload", context.Background(), ES256, "JWT", ``, errPayload},
		{"an array", context.Background(), ES256, "JWT", `[{}]`, errPayload},
		{"a string", context.Background(), ES256, "JWT", `"{}"`, errPayload},
		{"something that only ends like an object", context.Background(), ES256, "JWT", `1,{}`, errPayload},
		{"a lone brace", context.Background(), ES256, "JWT", `{`, errPayload},
		{"a token above the limit", context.Background(), ES256, "JWT", filled(fits), ErrTooLarge},
		{"a context that has ended", ended, ES256, "JWT", `{}`, context.Canceled},
	} {
		t.Run(c.rule, func(t *testing.T) {
			token, err := s.Sign(c.ctx, epoch, c.alg, c.typ, []byte(c.payload))
			if !errors.Is(err, c.want) || token != "" {
				t.Errorf("Sign = %q, %v; want error %v", token, err, c.want)
			}
		})
	}
	t.Run("but not a token at the limit", func(t *testing.T) {
		token := mustSign(t, s, epoch, ES256, "JWT", filled(fits-len(`"a":""`)))
		if len(token) < maxCompact-3 {
			t.Fatalf("the test's token has %d bytes, which proves nothing", len(token))
		}
		if _, err := s.Verify(epoch, "JWT", token); err != nil {
			t.Errorf("Verify: %v", err)
		}
	})
}

func TestTheMostRecentlyActivatedKeySigns(t *testing.T) {
	older, newer, waiting := generate(t, ES256, at(0)), generate(t, ES256, at(5)), generate(t, ES256, at(20))
	waiting.CreatedAt = at(0)
	other := generate(t, EdDSA, at(9))
	s := NewSet([]Key{newer, waiting, other, older})
	token := mustSign(t, s, at(10), ES256, "JWT", `{}`)
	h, err := parseHeader(token[:strings.Index(token, ".")])
	if err != nil || h.Kid != newer.ID {
		t.Errorf("signed with kid %s, %v; want %s", h.Kid, err, newer.ID)
	}
}

func TestOfTwoKeysActivatedTogetherTheOneWithTheGreaterKidSigns(t *testing.T) {
	ks := []Key{es("b", 0, 0, -1, -1), es("c", 0, 0, -1, -1), es("a", 0, 0, -1, -1)}
	for range ks {
		if i := current(ks, ES256, epoch); ks[i].ID != "c" {
			t.Errorf("of %s, %s signs", timetable(ks), ks[i].ID)
		}
		ks = append(ks[1:], ks[0])
	}
}

func TestAKeyWithoutItsPairIsHarmless(t *testing.T) {
	whole := key(ES256)
	bare, renamed, switched := whole, whole, whole
	bare.pair = nil
	renamed.ID = "another"
	switched.Alg = ES384
	for name, k := range map[string]Key{"no pair": bare, "another kid": renamed, "another alg": switched} {
		t.Run(name, func(t *testing.T) {
			s := NewSet([]Key{k})
			if _, err := s.Sign(context.Background(), epoch, k.Alg, "JWT", []byte(`{}`)); !errors.Is(err, ErrNoKey) {
				t.Errorf("Sign: %v, want ErrNoKey", err)
			}
			if got := string(s.JWKS(epoch)); got != `{"keys":[]}` {
				t.Errorf("JWKS = %s", got)
			}
			if len(s.Algs(epoch)) != 0 || !slices.Equal(s.Keys(), []Key{k}) {
				t.Errorf("Algs = %v, Keys = %v", s.Algs(epoch), s.Keys())
			}
		})
	}
}

func TestAClaimNameCannotAddAnotherClaim(t *testing.T) {
	s := NewSet([]Key{key(ES256)})
	payload, err := json.Marshal(map[string]any{`x":0,"admin`: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Verify(epoch, "JWT", mustSign(t, s, epoch, ES256, "JWT", string(payload)))
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(got, &claims); err != nil {
		t.Fatal(err)
	}
	if _, ok := claims["admin"]; ok || len(claims) != 1 {
		t.Errorf("claims = %v, want one with a strange name", claims)
	}
}

// A recorder provides spans that are recorded, and keeps those that are started.
type recorder struct {
	noop.TracerProvider
	spans []*recordedSpan
}

type recordedTracer struct {
	noop.Tracer
	r     *recorder
	scope string
}

type recordedSpan struct {
	noop.Span
	r           *recorder
	scope, name string
	attributes  []attribute.KeyValue
	status      codes.Code
	ended       bool
}

func (r *recorder) Tracer(scope string, _ ...trace.TracerOption) trace.Tracer {
	return recordedTracer{r: r, scope: scope}
}

func (t recordedTracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	config := trace.NewSpanStartConfig(opts...)
	s := &recordedSpan{r: t.r, scope: t.scope, name: name, attributes: config.Attributes()}
	t.r.spans = append(t.r.spans, s)
	return trace.ContextWithSpan(ctx, s), s
}

func (s *recordedSpan) IsRecording() bool                    { return true }
func (s *recordedSpan) TracerProvider() trace.TracerProvider { return s.r }
func (s *recordedSpan) SetStatus(c codes.Code, _ string)     { s.status = c }
func (s *recordedSpan) End(...trace.SpanEndOption)           { s.ended = true }

func TestSigningIsASpanWhereTheCallerIsTraced(t *testing.T) {
	s := NewSet([]Key{key(ES256)})
	var r recorder
	ctx := trace.ContextWithSpan(context.Background(), &recordedSpan{r: &r})
	for alg, want := range map[Alg]codes.Code{ES256: codes.Unset, RS256: codes.Error} {
		r.spans = nil
		_, _ = s.Sign(ctx, epoch, alg, "at+jwt", []byte(`{"sub":"alice"}`))
		if len(r.spans) != 1 {
			t.Fatalf("%d spans, want 1", len(r.spans))
		}
		got := r.spans[0]
		if got.name != "keys.sign" || got.scope != tracer || !got.ended || got.status != want {
			t.Errorf("%s: span %+v, want an ended keys.sign with status %v", alg, got, want)
		}
		if !slices.Equal(got.attributes, []attribute.KeyValue{
			attribute.String("jws.alg", string(alg)), attribute.String("jws.typ", "at+jwt"),
		}) {
			t.Errorf("attributes %v", got.attributes)
		}
	}
}

func TestTracingCostsNothingWhenOff(t *testing.T) {
	s := NewSet([]Key{key(EdDSA)}) // its signature allocates always the same
	payload := []byte(`{"sub":"alice"}`)
	ctx := context.Background()
	without := testing.AllocsPerRun(100, func() { _, _ = s.sign(ctx, epoch, EdDSA, "JWT", payload) })
	with := testing.AllocsPerRun(100, func() { _, _ = s.Sign(ctx, epoch, EdDSA, "JWT", payload) })
	if with != without {
		t.Errorf("%v allocations with the check for a span, %v without", with, without)
	}
}

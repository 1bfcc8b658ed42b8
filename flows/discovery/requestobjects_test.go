package discovery

import (
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestRequestObjectsAreAnnouncedAsTheyAre(t *testing.T) {
	s := &tenant.Settings{}
	metadata := func() Metadata {
		return MetadataOf(&tenant.Tenant{Issuer: "https://id.example", Settings: s, Keys: keys.NewSet(nil)}, time.Now())
	}
	m := metadata()
	if !m.RequestParameter || !m.RequestURIParameter || !m.RequireRequestURIs || m.RequireSignedObject || slices.Contains(m.RequestAlgs, "none") ||
		slices.Contains(m.RequestAlgs, "HS256") || !slices.Contains(m.RequestAlgs, "ES256") || m.RequestKeyAlgs != nil || m.RequestEncs != nil || m.CIBARequestAlgs != nil {
		t.Errorf("by default: %+v", m.requestObjects)
	}
	if !slices.Contains(m.ResponseModes, "jwt") || !slices.Contains(m.ResponseModes, "form_post.jwt") {
		t.Errorf("response modes: %q", m.ResponseModes)
	}
	if len(m.ResponseKeyAlgs) == 0 || len(m.ResponseEncs) == 0 {
		t.Errorf("of responses that are JWTs: %+v", m.requestObjects)
	}
	s.RequestObjects = tenant.RequestObjectSettings{Required: true, Unsigned: true, AnyURI: true}
	s.Signing.HMAC, s.CIBA.Enabled, s.Encryption.Algs = true, true, []string{"ECDH-ES"}
	m = metadata()
	if m.RequireRequestURIs || !m.RequireSignedObject || !slices.Contains(m.RequestAlgs, "none") || !slices.Contains(m.RequestAlgs, "HS256") ||
		!slices.Equal(m.RequestKeyAlgs, s.Encryption.Algs) || len(m.RequestEncs) == 0 || slices.Contains(m.CIBARequestAlgs, "HS256") || len(m.CIBARequestAlgs) == 0 {
		t.Errorf("with all on: %+v", m.requestObjects)
	}
}

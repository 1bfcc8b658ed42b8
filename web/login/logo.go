package login

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// maxLogo is the size of the largest logo, in bytes.
const maxLogo = 64 << 10

// logoTypes are the kinds of picture that we serve: none that could hold script.
var logoTypes = []string{"image/png", "image/jpeg", "image/webp"}

// picture returns the picture in a data: URI of the settings (RFC 2397). What its bytes are counts, and what the URI
// says must agree.
func picture(uri string) (mediaType string, content []byte, ok bool) {
	rest, ok := strings.CutPrefix(uri, "data:")
	if !ok {
		return "", nil, false
	}
	mediaType, encoded, ok := strings.Cut(rest, ";base64,")
	if !ok || base64.StdEncoding.DecodedLen(len(encoded)) > maxLogo+2 {
		return "", nil, false
	}
	content, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(content) > maxLogo || !slices.Contains(logoTypes, mediaType) || http.DetectContentType(content) != mediaType {
		return "", nil, false
	}
	return mediaType, content, true
}

// logo serves the tenant's logo. Pages name it with the version of the settings, so it may be kept for a while.
func (u *UI) logo(c *gin.Context, t *tenant.Tenant) {
	mediaType, content, ok := picture(t.Settings.Logo)
	if !ok {
		u.Error(c, t, http.StatusNotFound, oauth.NotFound("There is no logo"))
		return
	}
	file(c, mediaType, content, "public, max-age=3600")
}

// file serves what is no page; keep says how long it may be cached.
func file(c *gin.Context, mediaType string, content []byte, keep string) {
	contain(c, "sandbox")
	c.Header("Cache-Control", keep)
	c.Header("Cross-Origin-Resource-Policy", "same-origin")
	wire.Raw(c, http.StatusOK, mediaType, content)
}

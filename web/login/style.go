package login

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var (
	//go:embed assets/login.css
	commonStyle string
	//go:embed assets/icon.svg
	icon []byte

	commonHash = sha256.Sum256([]byte(commonStyle))
	iconName   = "icon-" + digest(icon) + ".svg"
)

// immutable: a name holds a hash of the content.
const immutable = "public, max-age=31536000, immutable"

// styleSheet is our style sheet in an accent colour.
func styleSheet(accent rgb) string { return accent.style() + commonStyle }

// styleName names styleSheet(accent): the colour, and a hash of the content.
func styleName(accent rgb) string {
	return accent.hex() + "-" + digest(append([]byte(accent.style()), commonHash[:]...)) + ".css"
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// asset serves a style sheet or the icon.
func (u *UI) asset(c *gin.Context, t *tenant.Tenant) {
	name := c.Param("name")
	if name == iconName {
		file(c, "image/svg+xml", icon, immutable)
		return
	}
	colour, _, _ := strings.Cut(name, "-")
	if accent, ok := parseRGB(colour); ok && name == styleName(accent) {
		file(c, "text/css; charset=utf-8", []byte(styleSheet(accent)), immutable)
		return
	}
	u.Error(c, t, http.StatusNotFound, oauth.NotFound("There is no such file"))
}

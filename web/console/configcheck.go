package console

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	file "github.com/chancery-id/chancery/web/properties"
	"github.com/chancery-id/chancery/web/wire"
)

// configError is what is wrong with a file of properties.
type configError struct {
	Error       string        `json:"error"`
	Description string        `json:"error_description"` // of the first
	Errors      []wrongConfig `json:"errors"`
}

// wrongConfig is what is wrong with a line of it.
type wrongConfig struct {
	Line     int    `json:"line,omitempty"` // none: the file does not say what it should
	Property string `json:"property,omitempty"`
	Message  string `json:"message"`
}

// checkConfig answers 204 where a tenant could be made of a file of properties, as an import would; nothing is made. That
// there is such a tenant already is not wrong: it is its file perhaps.
func (d *Door) checkConfig(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("config check")
	if t, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); err != nil || t != "text/plain" {
		wire.Error(c, wire.UnsupportedMedia("The content type must be text/plain"))
		return
	}
	text, err := wire.RawBody(c, maxBody)
	var wrong []wrongConfig
	if err == nil {
		wrong, err = d.wrongOf(c.Request.Context(), text)
	}
	switch {
	case err != nil:
		wire.Error(c, err)
	case len(wrong) == 0:
		wire.NoContent(c)
	default:
		out := configError{Error: "invalid_config", Description: wrong[0].sentence(), Errors: wrong}
		wire.EventOf(c).Fail(&oauth.Error{Code: out.Error, Description: out.Description})
		wire.JSON(c, http.StatusBadRequest, out)
	}
}

// sentence says what is wrong in the characters of an error's description.
func (w wrongConfig) sentence() string {
	name := w.Property
	if !speakable.MatchString(name) {
		name = "A property"
	}
	s := name + " " + strings.NewReplacer(`"`, "", `\`, "").Replace(w.Message)
	if w.Line > 0 {
		s = "Line " + strconv.Itoa(w.Line) + ": " + s
	}
	return s
}

// wrongOf returns what is wrong with a file, line by line.
func (d *Door) wrongOf(ctx context.Context, text []byte) ([]wrongConfig, error) {
	im := &importing{tenant: admin.New{ID: "checked"}, tokens: tokenProps{}, values: map[int]string{}}
	for _, l := range file.Parse(text) {
		im.line(d, l)
	}
	n := im.draft()
	if _, id, below := strings.Cut(n.Issuer, "/t/"); below {
		n.ID = id
	}
	if n.Issuer != "" {
		if err := d.Console.TryTenant(ctx, n); err != nil && !im.blame(err) && !errors.Is(err, tenant.ErrExists) {
			return nil, err
		}
	}
	var wrong []wrongConfig
	for _, row := range im.report.Lines {
		if row.Outcome == refused {
			wrong = append(wrong, wrongConfig{row.First, row.Property, row.Why})
		}
	}
	return wrong, nil
}

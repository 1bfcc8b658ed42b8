package oidc

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// authorize serves the authorization endpoint (RFC 6749 §3.1, OIDC Core §3.1.2.1): by our own pages, or by sending the
// browser on to the tenant's login UI with the request as it came.
func (d *Door) authorize(c *gin.Context, t *tenant.Tenant) {
	ev := wire.EventOf(c)
	ev.Flow("authorize")
	raw, err := rawRequest(c)
	if err != nil {
		d.refuse(c, t, err)
		return
	}
	if crossSite(c) && len(raw) <= maxLocation {
		wire.NoStore(c)
		c.Header("Location", "?"+raw) // the same address
		c.Status(http.StatusSeeOther)
		return
	}
	params := request.Parse(raw)
	ev.Client(params.Get("client_id"))
	if t.Settings.LoginURL != "" {
		d.handOver(c, t, raw)
		return
	}
	res, err := d.Authorize.Begin(c.Request.Context(), t, authorize.Start{
		Params: params, SID: d.Browser.SID(c, t), Binding: d.Browser.Binding(c, t), Address: wire.AddressOf(c).String()})
	if err != nil {
		d.refuse(c, t, err)
		return
	}
	d.Browser.Show(c, t, res)
}

// maxLocation is the longest request that is moved into an address, in bytes.
const maxLocation = 8 << 10

// crossSite reports whether another site's form posts the request. The browser then leaves our cookies at home, and brings
// them along when it asks again by GET.
func crossSite(c *gin.Context) bool {
	return c.Request.Method == http.MethodPost && c.GetHeader("Sec-Fetch-Site") == "cross-site"
}

// rawRequest returns the request as it was encoded: the query, or the form body, or both one after the other, so that a
// parameter in both counts as repeated.
func rawRequest(c *gin.Context) (string, error) {
	raw := c.Request.URL.RawQuery
	if c.Request.Method == http.MethodPost {
		if ct, _, _ := strings.Cut(c.ContentType(), ";"); ct != "application/x-www-form-urlencoded" {
			return "", wire.UnsupportedMedia("the content type must be application/x-www-form-urlencoded")
		}
		body, err := wire.RawBody(c, request.MaxQuery)
		if err != nil {
			return "", err
		}
		raw = strings.Trim(raw+"&"+addressable(body), "&")
	}
	if len(raw) > request.MaxQuery {
		return "", wire.TooLarge()
	}
	return raw, nil
}

// addressable is a form body as it may stand in an address: what an address cannot hold, and would otherwise end it, is
// escaped.
func addressable(body []byte) string {
	var b strings.Builder
	for _, c := range body {
		if c <= 0x20 || c >= 0x7f || c == '#' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// handOver sends the browser to the tenant's login UI, once client and redirect URI are proven.
func (d *Door) handOver(c *gin.Context, t *tenant.Tenant, raw string) {
	r, _, err := d.Authorize.Requests.ValidateFilled(c.Request.Context(), t, request.Authorize, request.Parse(raw), request.Filling{Later: true})
	if r == nil {
		d.refuse(c, t, err)
		return
	}
	sep := "?"
	if strings.Contains(t.Settings.LoginURL, "?") {
		sep = "&"
	}
	if t.Face() != "" && !request.Parse(raw).Has(request.IssuerParameter) {
		raw += "&" + request.IssuerParameter + "=" + url.QueryEscape(t.Issuer)
	}
	wire.NoStore(c)
	c.Redirect(http.StatusSeeOther, t.Settings.LoginURL+sep+raw)
}

// refuse shows the error page of a request that may not be answered by a redirect.
func (d *Door) refuse(c *gin.Context, t *tenant.Tenant, err error) {
	wire.EventOf(c).Fail(err)
	d.Browser.Error(c, t, wire.StatusOf(err), oauth.ErrorOf(err))
}

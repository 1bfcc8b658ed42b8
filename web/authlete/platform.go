package authlete

import (
	"encoding/base32"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// The calls that are about no one service.
var (
	infoCall      = endpoint{flow: "info", codes: "A001", manage: (*Door).info}
	serviceList   = endpoint{flow: "service", codes: "A014", manage: (*Door).serviceList}
	serviceCreate = endpoint{flow: "service", codes: "A015", manage: (*Door).serviceCreate}
)

// mountPlatform registers them.
func (d *Door) mountPlatform(r *wire.Router) {
	at := func(method, path string, e *endpoint) {
		r.Services(method, prefix+path, func(c *gin.Context, t *tenant.Tenant) { (&call{Context: c, tenant: t, endpoint: e}).administer(d) })
	}
	at(http.MethodGet, "/info", &infoCall)
	at(http.MethodGet, "/service/get/list", &serviceList)
	at(http.MethodPost, "/service/create", &serviceCreate)
	r.Open(http.MethodGet, prefix+"/misc/echo", echo)
	r.Open(http.MethodGet, prefix+"/lifecycle/healthcheck", func(c *gin.Context) {
		wire.Raw(c, http.StatusOK, "text/plain; charset=utf-8", []byte("OK"))
	})
}

// operator reports whether the operator calls, and no service of its own.
func (c *call) operator() bool { return wire.TokenOf(c.Context).Reaches(tenant.AdminAPI) }

// info says which API this is.
func (d *Door) info(*call) (int, any, error) {
	return http.StatusOK, struct {
		Version  string   `json:"version"`
		Features []string `json:"features"`
	}{"3.0", []string{"ciba", "dcr", "deviceflow", "fapi", "gm"}}, nil
}

// echo answers with the parameters of its query: a test of the connection.
func echo(c *gin.Context) {
	q, err := wire.Query(c)
	if err != nil {
		write(c, http.StatusBadRequest, outcome{"A001207", "The parameters of the request are malformed."})
		return
	}
	out := make(map[string]string, len(q))
	for name := range q {
		out[name] = q.Get(name)
	}
	wire.JSON(c, http.StatusOK, out)
}

// servicePage is a page of services.
type servicePage struct {
	Start    int              `json:"start"`
	End      int              `json:"end"`
	Total    int              `json:"totalCount"`
	Services []map[string]any `json:"services"`
}

// serviceList lists the services that the caller may see: all for the operator, else the caller's own.
func (d *Door) serviceList(c *call) (int, any, error) {
	start, end, err := c.page()
	if err != nil {
		return 0, nil, err
	}
	out := servicePage{Start: start, End: end, Services: []map[string]any{}}
	if !c.operator() {
		if out.Total = 1; start == 0 && end > 0 {
			r, err := d.Console.Tenant(c.Request.Context(), c.tenant.ID)
			if err != nil {
				return 0, nil, err
			}
			out.Services = append(out.Services, view(r, d.Now()).object(false))
		}
		return http.StatusOK, out, nil
	}
	rs, total, err := d.Console.NumberedTenants(c.Request.Context(), start, end-start)
	if err != nil {
		return 0, nil, err
	}
	out.Total = total
	for i := range rs {
		out.Services = append(out.Services, view(&rs[i], d.Now()).object(false))
	}
	return http.StatusOK, out, nil
}

var errOperator = oauth.InsufficientScope("The token has not the right to create services.")

// label is the id of a new tenant, of 80 random bits: the API gives a service but a number.
func (d *Door) label() (string, error) {
	b := make([]byte, 10)
	if _, err := io.ReadFull(d.Rand, b); err != nil {
		return "", err
	}
	return "s" + strings.ToLower(base32.HexEncoding.EncodeToString(b)), nil
}

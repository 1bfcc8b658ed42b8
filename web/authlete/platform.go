package authlete

import (
	"encoding/base32"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
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
		r.Services(method, prefix+path, func(c *gin.Context, t *tenant.Tenant) { (&call{c, t, e}).administer(d) })
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
	}{"3.0", []string{"ciba"}}, nil
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
	Start    int        `json:"start"`
	End      int        `json:"end"`
	Total    int        `json:"totalCount"`
	Services []*service `json:"services"`
}

// serviceList lists the services that the caller may see: all for the operator, else the caller's own.
func (d *Door) serviceList(c *call) (int, any, error) {
	start, end, err := c.page()
	if err != nil {
		return 0, nil, err
	}
	out := servicePage{Start: start, End: end, Services: []*service{}}
	if !c.operator() {
		if out.Total = 1; start == 0 && end > 0 {
			out.Services = append(out.Services, d.serviceOf(c.tenant))
		}
		return http.StatusOK, out, nil
	}
	rs, total, err := d.Console.NumberedTenants(c.Request.Context(), start, end-start)
	if err != nil {
		return 0, nil, err
	}
	out.Total = total
	for i := range rs {
		out.Services = append(out.Services, d.recorded(&rs[i]))
	}
	return http.StatusOK, out, nil
}

// recorded describes the service of a record.
func (d *Door) recorded(r *tenant.Record) *service {
	return d.serviceOf(&tenant.Tenant{ID: r.ID, ServiceID: r.ServiceID, Issuer: r.Issuer, Settings: &r.Settings, Keys: keys.NewSet(r.Keys)})
}

// newService are the members of a service that make a tenant's settings.
type newService struct {
	Name            string        `json:"serviceName"`
	Issuer          string        `json:"issuer"`
	TokenDuration   int64         `json:"accessTokenDuration"`
	RefreshDuration int64         `json:"refreshTokenDuration"`
	IDTokenDuration int64         `json:"idTokenDuration"`
	CodeDuration    int64         `json:"authorizationCodeDuration"`
	RefreshKept     bool          `json:"refreshTokenKept"`
	Scopes          []scopeObject `json:"supportedScopes"`
	ACRs            []string      `json:"supportedAcrs"`
	Attributes      []pair        `json:"attributes"`
	newBackchannel
	newDevice
}

// settings says it in a tenant's words.
func (n *newService) settings() tenant.Settings {
	s := tenant.Settings{Name: n.Name, CIBA: n.newBackchannel.settings(), Device: n.newDevice.settings(n.GrantTypes)}
	s.Tokens.AccessTokenLifetime, s.Tokens.RefreshTokenLifetime = n.TokenDuration, n.RefreshDuration
	s.Tokens.IDTokenLifetime, s.Tokens.RefreshTokenKeep = n.IDTokenDuration, n.RefreshKept
	s.Authorization.CodeLifetime, s.Authorization.ACRValues = n.CodeDuration, n.ACRs
	for _, v := range n.Scopes {
		s.Authorization.Scopes = append(s.Authorization.Scopes, v.Name)
	}
	for _, p := range n.Attributes {
		if s.Attributes == nil {
			s.Attributes = map[string]string{}
		}
		s.Attributes[p.Key] = p.Value
	}
	return s
}

// serviceCreate makes a tenant with keys and an API token, which is in this answer alone.
func (d *Door) serviceCreate(c *call) (int, any, error) {
	if !c.operator() {
		return 0, nil, errOperator
	}
	var in newService
	if err := wire.ReadJSON(c.Context, maxBody, &in); err != nil {
		return 0, nil, err
	}
	id, err := d.label()
	if err != nil {
		return 0, nil, err
	}
	made, err := d.Console.CreateTenant(c.Request.Context(), admin.New{ID: id, Issuer: in.Issuer, Settings: in.settings()},
		admin.By{Actor: wire.TokenOf(c.Context).ID, Address: c.address()})
	if err != nil {
		return 0, nil, err
	}
	r, err := d.Console.Tenant(c.Request.Context(), made.TenantID)
	if err != nil {
		return 0, nil, err
	}
	out := d.recorded(r)
	out.Secret = made.APIToken
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

// Package login is our own pages for tenants that bring none: sign-in, consent, devices, sign-out and errors, and the browser's
// side of an authorization request. They call the same flows as a tenant's own login UI reaches through a dialect.
package login

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/logout"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// UI serves the pages. All fields but Links and Insecure are required.
type UI struct {
	Now       func() time.Time
	Rand      io.Reader
	Authorize *authorize.Service
	Sessions  *session.Service
	Logout    *logout.Service
	Access    *access.Service // for what users see of their account; nil: there is no such page
	Accounts  Accounts
	Device    *device.Service
	CIBA      *ciba.Service
	Links     Links // to set passwords by; nil: there is no such page
	Insecure  bool  // development: cookies without Secure and __Host- at issuers of plain http
}

// Accounts is what the pages ask of accounts. *account.Service is one.
type Accounts interface {
	// Verify returns the enabled account of username when password is its password. What is wrong with the two is
	// account.ErrDenied, too many attempts are slow_down.
	Verify(ctx context.Context, t *tenant.Tenant, username, password, source string) (*account.Account, error)
	// Get returns the account of that subject, or account.ErrNotFound.
	Get(ctx context.Context, t *tenant.Tenant, sub string) (account.Account, error)
	// CheckTOTP returns nil where code is one of the subject's TOTP, or a recovery code, else account.ErrCode.
	CheckTOTP(ctx context.Context, t *tenant.Tenant, sub, code string, g account.Guesser) error
	// HasTOTP reports whether the subject has an account with a TOTP that was confirmed.
	HasTOTP(ctx context.Context, t *tenant.Tenant, sub string) (bool, error)
	// EnrolTOTP, ConfirmTOTP and RemoveTOTP set up the TOTP of a subject who authenticated anew.
	EnrolTOTP(ctx context.Context, t *tenant.Tenant, sub string, by account.By) (account.Enrolment, error)
	ConfirmTOTP(ctx context.Context, t *tenant.Tenant, sub, code string, by account.By) ([]string, error)
	RemoveTOTP(ctx context.Context, t *tenant.Tenant, sub string, by account.By) error
}

// route is one page or file.
type route struct {
	method, path string
	flow         string // for the record
	file         bool   // the same for everyone, and needed to show any page
	serve        func(*UI, *gin.Context, *tenant.Tenant)
}

// interactionPath is where the page of an interaction lies, before its handle.
const interactionPath = "/login/i/"

// logoutPath is where the page that ends a session lies.
const logoutPath = discovery.EndSession

// routes lie below an issuer. The handle in a path opens nothing without the browser's binding cookie.
var routes = []route{
	{http.MethodGet, interactionPath + ":handle", "login", false, (*UI).ask},
	{http.MethodPost, interactionPath + ":handle", "login", false, (*UI).answer},
	{http.MethodGet, logoutPath, "logout", false, (*UI).askLogout},
	{http.MethodPost, logoutPath, "logout", false, (*UI).logout},
	{http.MethodGet, devicePath, "device", false, (*UI).askCode},
	{http.MethodPost, devicePath, "device", false, (*UI).enterCode},
	{http.MethodGet, devicePath + "/:handle", "device", false, (*UI).askAboutDevice},
	{http.MethodPost, devicePath + "/:handle", "device", false, (*UI).answerDevice},
	{http.MethodGet, accountPath, "account", false, (*UI).showAccount},
	{http.MethodPost, accountPath, "account", false, (*UI).changeAccount},
	{http.MethodGet, PasswordPath + ":token", "password", false, (*UI).askPassword},
	{http.MethodPost, PasswordPath + ":token", "password", false, (*UI).setPassword},
	{http.MethodGet, checkPath, "check_session", true, (*UI).checkSession},
	{http.MethodGet, requestsPath, "ciba session", false, (*UI).askRequests},
	{http.MethodPost, requestsPath, "ciba session", false, (*UI).answerRequest},
	{http.MethodGet, "/login/logo", "asset", true, (*UI).logo},
	{http.MethodGet, "/login/assets/:name", "asset", true, (*UI).asset},
}

// Mount registers the pages.
func (u *UI) Mount(r *wire.Router) {
	r = r.Pages(func(c *gin.Context, status int, err *oauth.Error) { u.Error(c, nil, status, err) })
	for _, p := range routes {
		if p.flow == "password" && u.Links == nil {
			continue
		}
		register := r.Public
		if p.file {
			register = r.Metadata // limits count people, not pictures
		}
		register(p.method, p.path, func(c *gin.Context, t *tenant.Tenant) {
			wire.EventOf(c).Flow(p.flow)
			p.serve(u, c, t)
		})
	}
}

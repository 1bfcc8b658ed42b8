package login

import (
	"errors"
	"image/color"
	"net/http"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// totpPage is the content of the page on which a user sets up an authenticator app. The secret is shown once.
type totpPage struct {
	Secret  string // in groups; empty: it was shown
	Path    string // of the dark modules of the QR code
	Size    int    // of the code with its margin, in modules
	Problem string
}

// recoveryPage is the content of the page that shows recovery codes, once.
type recoveryPage struct{ Codes []string }

// factorActions are what users can do about their second factor at the page of their account.
var factorActions = map[string]func(*UI, *gin.Context, *tenant.Tenant, *session.Session, form) (done, problem string, err error){
	"totp_start":   (*UI).startTOTP,
	"totp_confirm": (*UI).confirmTOTP,
	"totp_cancel":  (*UI).cancelTOTP,
	"totp_remove":  (*UI).removeTOTP,
}

// anew checks the password of the user of own, who authenticates anew, and the code where there is a second factor.
func (u *UI) anew(c *gin.Context, t *tenant.Tenant, own *session.Session, f form) (problem string, err error) {
	ctx := c.Request.Context()
	mine, err := u.Accounts.Get(ctx, t, own.Subject)
	if err != nil {
		return "", err
	}
	a, err := u.Accounts.Verify(ctx, t, mine.Username, f.Get("password"), address(c))
	if err == nil && a.Subject != own.Subject {
		err = account.ErrDenied
	}
	if err == nil && a.HasTOTP {
		err = u.Accounts.CheckTOTP(ctx, t, a.Subject, f.Get("otp"), account.Guesser{Address: address(c)})
	}
	switch {
	case errors.Is(err, account.ErrDenied):
		wire.EventOf(c).Fail(err)
		return "totp.denied", nil
	case errors.Is(err, account.ErrCode):
		wire.EventOf(c).Fail(err)
		return "code.wrong", nil
	}
	return "", err
}

// startTOTP shows a new secret to a user who has authenticated anew.
func (u *UI) startTOTP(c *gin.Context, t *tenant.Tenant, own *session.Session, f form) (done, problem string, err error) {
	if problem, err = u.anew(c, t, own, f); problem != "" || err != nil {
		return "", problem, err
	}
	e, err := u.Accounts.EnrolTOTP(c.Request.Context(), t, own.Subject, account.By{Address: address(c)})
	if errors.Is(err, account.ErrExists) {
		return "", "", nil // the page says so
	}
	if err != nil {
		return "", "", err
	}
	in := totpPage{Secret: grouped(e.Secret)}
	if in.Path, in.Size, err = modules(e.URI); err != nil {
		return "", "", err
	}
	u.showTOTP(c, t, own, in)
	return "", "", errShown
}

func (u *UI) showTOTP(c *gin.Context, t *tenant.Tenant, own *session.Session, in totpPage) {
	pg := u.page(c, t, nil)
	pg.CSRF = csrf(t, u.Binding(c, t), aboutAccount+" "+own.ID, 0)
	pg.Title = pg.Plain("totp.title")
	if in.Problem != "" {
		pg.Title = pg.Plain("error") + ": " + pg.Title
	}
	pg.Body = in
	render(c, http.StatusOK, "totp", pg, "form-action 'self'")
}

// confirmTOTP takes the first code, and shows the recovery codes.
func (u *UI) confirmTOTP(c *gin.Context, t *tenant.Tenant, own *session.Session, f form) (done, problem string, err error) {
	codes, err := u.Accounts.ConfirmTOTP(c.Request.Context(), t, own.Subject, f.Get("otp"), account.By{Address: address(c)})
	switch {
	case errors.Is(err, account.ErrCode):
		wire.EventOf(c).Fail(err)
		u.showTOTP(c, t, own, totpPage{Problem: "code.wrong"})
		return "", "", errShown
	case errors.Is(err, oauth.InvalidRequest("")):
		return "", "", nil // it was confirmed elsewhere, or given up
	case err != nil:
		return "", "", err
	}
	pg := u.page(c, t, nil)
	pg.Title = pg.Plain("recovery.title")
	pg.Body = recoveryPage{codes}
	render(c, http.StatusOK, "recovery", pg, "form-action 'none'")
	return "", "", errShown
}

// cancelTOTP gives up a secret that was not confirmed. One that counts stays.
func (u *UI) cancelTOTP(c *gin.Context, t *tenant.Tenant, own *session.Session, _ form) (done, problem string, err error) {
	has, err := u.Accounts.HasTOTP(c.Request.Context(), t, own.Subject)
	if err == nil && !has {
		err = u.Accounts.RemoveTOTP(c.Request.Context(), t, own.Subject, account.By{Address: address(c)})
	}
	if errors.Is(err, oauth.NotFound("")) {
		err = nil
	}
	return "", "", err
}

// removeTOTP takes the second factor of a user away who has authenticated anew, by both.
func (u *UI) removeTOTP(c *gin.Context, t *tenant.Tenant, own *session.Session, f form) (done, problem string, err error) {
	if problem, err = u.anew(c, t, own, f); problem != "" || err != nil {
		return "", problem, err
	}
	err = u.Accounts.RemoveTOTP(c.Request.Context(), t, own.Subject, account.By{Address: address(c)})
	if errors.Is(err, oauth.NotFound("")) {
		return "", "", nil
	}
	return "totp.removed", "", err
}

// grouped is a secret as people copy it.
func grouped(secret string) string {
	var b strings.Builder
	for i, r := range secret {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// margin is how wide the border of a QR code must be, in modules (ISO/IEC 18004).
const margin = 4

// modules is a text as the path of the dark modules of a QR code, and its size with the margin.
func modules(text string) (path string, size int, err error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", 0, err
	}
	n := code.Bounds().Dx()
	var b strings.Builder
	for y := range n {
		for x := range n {
			if isBlack(code.At(x, y)) {
				b.WriteString("M" + strconv.Itoa(x+margin) + " " + strconv.Itoa(y+margin) + "h1v1h-1z")
			}
		}
	}
	return b.String(), n + 2*margin, nil
}

func isBlack(c color.Color) bool {
	r, g, b, _ := c.RGBA()
	return r+g+b == 0
}

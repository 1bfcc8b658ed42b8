package login

import (
	"cmp"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// devicePath is where users enter the code that their device shows (RFC 8628 §3.3).
const devicePath = discovery.DevicePage

// aboutDevice is what the form for the code is about.
const aboutDevice = "device"

// deviceCode is the content of the page for the code.
type deviceCode struct {
	Code    string
	Given   bool // the code came with the link, so its user has yet to compare it
	Numeric bool
	Problem string // text key; empty: none
}

// deviceConsent is the content of the page that asks whether to connect a device.
type deviceConsent struct {
	consent
	UserCode string
	Asked    template.HTML // when
}

var errNoDevice = oauth.NotFound("Devices are not served here")

// askCode asks for the code. One that came with the link is filled in, and not taken for entered (RFC 8628 §3.3.1).
func (u *UI) askCode(c *gin.Context, t *tenant.Tenant) {
	if !t.Settings.DevicePageOn() {
		u.Error(c, t, http.StatusNotFound, errNoDevice)
		return
	}
	q, err := wire.Query(c)
	if err != nil {
		u.fail(c, t, err)
		return
	}
	code := printable(q.Get("user_code"))
	u.showCode(c, t, u.Binding(c, t), deviceCode{Code: code, Given: code != ""})
}

// maxCode is the longest code that is shown, in bytes.
const maxCode = 40

// printable is a code as it may be shown: what no code of ours holds is left out.
func printable(code string) string {
	code = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == ' ' {
			return r
		}
		return -1
	}, code)
	return strings.ToUpper(strings.TrimSpace(code[:min(len(code), maxCode)]))
}

func (u *UI) showCode(c *gin.Context, t *tenant.Tenant, binding string, in deviceCode) {
	pg := u.page(c, t, nil)
	pg.CSRF = csrf(t, binding, aboutDevice, 0)
	pg.Title = pg.Plain("device.title")
	if in.Problem != "" {
		pg.Title = pg.Plain("error") + ": " + pg.Title
	}
	in.Numeric = t.Settings.Device.UserCodeCharset == tenant.Numeric
	pg.Body = in
	render(c, http.StatusOK, "device", pg, "form-action 'self'")
}

// enterCode takes the code, and leads to the page about its device.
func (u *UI) enterCode(c *gin.Context, t *tenant.Tenant) {
	f, ok := u.form(c, t, aboutDevice)
	if !ok {
		return
	}
	if !t.Settings.DevicePageOn() {
		u.Error(c, t, http.StatusNotFound, errNoDevice)
		return
	}
	code := printable(f.Get("user_code"))
	if code == "" {
		u.showCode(c, t, f.binding, deviceCode{Problem: "device.empty"})
		return
	}
	p, err := u.verify(c, t, f.Get("user_code"))
	if errors.Is(err, device.ErrUnknown) || errors.Is(err, device.ErrExpired) {
		wire.EventOf(c).Fail(err)
		u.showCode(c, t, f.binding, deviceCode{Code: code, Problem: "device.wrong"})
		return
	}
	if err != nil {
		u.fail(c, t, err)
		return
	}
	redirect(c, base(t)+devicePath+"/"+deviceHandle(t, f.binding, deviceVisit{id: p.ID, began: u.Now(), code: device.Written(&t.Settings.Device, code)}))
}

// verify finds the device of a code. Guesses count for where the browser is and for whose session it has.
func (u *UI) verify(c *gin.Context, t *tenant.Tenant, code string) (*decoupled.Pending, error) {
	g := device.Guess{Address: cmp.Or(address(c), "unknown")}
	who, err := u.Sessions.Current(c.Request.Context(), t, u.SID(c, t))
	switch {
	case err == nil:
		g.Subject = who.Subject
	case !errors.Is(err, session.ErrNotFound):
		return nil, err
	}
	return u.Device.Verify(c.Request.Context(), t, code, g)
}

// deviceVisit is a browser whose user has entered the code of a device.
type deviceVisit struct {
	id    string // of the authentication
	began time.Time
	code  string // as the device shows it
}

const (
	deviceKey = "login device" // purpose of the MAC in a handle
	visitMAC  = 16             // its bytes
	visitHead = 16 + 8         // bytes of id and time
)

// deviceHandle is v for the path of the page about the device, worthless without the browser's binding cookie.
func deviceHandle(t *tenant.Tenant, binding string, v deviceVisit) string {
	b, _ := base64.RawURLEncoding.DecodeString(v.id)
	b = append(binary.BigEndian.AppendUint64(b, uint64(v.began.UnixMilli())), v.code...)
	return base64.RawURLEncoding.EncodeToString(append(b, t.Secret.MAC(deviceKey, []byte(binding), b)[:visitMAC]...))
}

// parseDevice returns what a handle that deviceHandle made for that browser stands for.
func parseDevice(t *tenant.Tenant, binding, handle string) (v deviceVisit, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(handle)
	if err != nil || len(b) < visitHead+visitMAC || len(b) > visitHead+visitMAC+maxCode {
		return v, false
	}
	b, sum := b[:len(b)-visitMAC], b[len(b)-visitMAC:]
	if !hmac.Equal(sum, t.Secret.MAC(deviceKey, []byte(binding), b)[:visitMAC]) {
		return v, false
	}
	return deviceVisit{id: base64.RawURLEncoding.EncodeToString(b[:16]), began: time.UnixMilli(int64(binary.BigEndian.Uint64(b[16:visitHead]))),
		code: string(b[visitHead:])}, true
}

// atDevice is what a browser stands before that has entered a code: its device, its session, and what is to be done.
type atDevice struct {
	deviceVisit
	*decoupled.Pending
	facts    authorize.Facts
	decision authorize.Decision
}

// loadDevice returns what the handle in the path stands for. A device that waits no longer is decoupled.ErrNotFound.
func (u *UI) loadDevice(c *gin.Context, t *tenant.Tenant, binding string) (*atDevice, error) {
	v, ok := parseDevice(t, binding, c.Param("handle"))
	if !ok || !t.Settings.DevicePageOn() {
		return nil, decoupled.ErrNotFound
	}
	ctx := c.Request.Context()
	p, err := u.Device.Flow().Find(ctx, t, v.id)
	if err != nil {
		return nil, err
	}
	if p.State != decoupled.Waiting {
		return nil, decoupled.ErrNotFound
	}
	wire.EventOf(c).Client(p.Client.ID)
	d := &atDevice{deviceVisit: v, Pending: p}
	if d.facts, err = u.Authorize.Current(ctx, t, u.SID(c, t), p.Client); err != nil {
		return nil, err
	}
	d.facts.Began = v.began
	d.facts.Answered = d.facts.Session != nil && !d.facts.Session.AuthTime.Before(v.began)
	d.facts.Chosen = true // who is signed in is shown, and can be changed, where the device is confirmed
	d.decision = authorize.Decide(u.Now(), t.Settings, p.Request, d.facts)
	return d, nil
}

// askAboutDevice shows the page about a device: sign-in, or whether to connect it.
func (u *UI) askAboutDevice(c *gin.Context, t *tenant.Tenant) {
	binding := u.binding(c, t)
	if binding == "" {
		u.stranger(c, t)
		return
	}
	d, err := u.loadDevice(c, t, binding)
	if err == nil {
		err = u.showDevice(c, t, d, binding, entry{switching: c.Query("switch") != ""})
	}
	if err != nil {
		u.failDevice(c, t, err)
	}
}

// failDevice answers with the page for err.
func (u *UI) failDevice(c *gin.Context, t *tenant.Tenant, err error) {
	switch {
	case errors.Is(err, decoupled.ErrNotFound), errors.Is(err, decoupled.ErrConflict):
		u.notice(c, t, http.StatusNotFound, "devicegone", errGone.Because(err))
	case errors.Is(err, decoupled.ErrDisabled):
		u.Error(c, t, http.StatusForbidden, oauth.AccessDenied("The account is disabled").Because(err))
	default:
		u.fail(c, t, err)
	}
}

// showDevice writes the page that d stands at.
func (u *UI) showDevice(c *gin.Context, t *tenant.Tenant, d *atDevice, binding string, e entry) error {
	pg := u.page(c, t, nil)
	pg.CSRF = csrf(t, binding, c.Param("handle"), 0)
	if e.asks() || d.decision.Outcome == authorize.NeedLogin {
		return u.askOwn(c, t, pg, d.Client, d.facts.Session, e)
	}
	in := deviceConsent{UserCode: d.code, Asked: pg.ago(d.CreatedAt, u.Now())}
	var err error
	if in.consent, err = u.consentOf(c, t, pg, d.Client, d.facts.Session.Subject, d.Request, authorize.Ask(t.Settings, d.Request, d.facts.Had)); err != nil {
		return err
	}
	pg.Title = pg.Plain("deviceconfirm.title", in.Client)
	pg.Body = in
	render(c, http.StatusOK, "deviceconfirm", pg, "form-action 'self'")
	return nil
}

// answerDevice takes what the user answered at the page about a device.
func (u *UI) answerDevice(c *gin.Context, t *tenant.Tenant) {
	f, ok := u.form(c, t, c.Param("handle"))
	if !ok {
		return
	}
	d, err := u.loadDevice(c, t, f.binding)
	if err != nil {
		u.failDevice(c, t, err)
		return
	}
	here := base(t) + devicePath + "/" + c.Param("handle")
	switch f.Get("action") {
	case "login", "code":
		var e entry
		if e, err = u.enter(c, t, f, c.Param("handle")); err == nil && e.problem == "" && e.proof == "" {
			redirect(c, here)
			return
		}
		if err == nil {
			err = u.showDevice(c, t, d, f.binding, e)
		}
	case "switch":
		redirect(c, here+"?switch=1")
	case "allow":
		err = u.connect(c, t, d, here)
	case "deny", "cancel":
		if err = u.Device.Flow().Complete(c.Request.Context(), t, d.Pending, decoupled.Completion{Result: decoupled.AccessDenied, Address: address(c)}); err == nil {
			u.told(c, t, "devicedenied")
		}
	default:
		u.Error(c, t, http.StatusBadRequest, errAction)
	}
	if err != nil {
		u.failDevice(c, t, err)
	}
}

// connect grants the device what it asks for.
func (u *UI) connect(c *gin.Context, t *tenant.Tenant, d *atDevice, here string) error {
	if d.decision.Outcome == authorize.NeedLogin {
		redirect(c, here)
		return nil
	}
	who := d.facts.Session
	err := u.Device.Flow().Complete(c.Request.Context(), t, d.Pending, decoupled.Completion{Result: decoupled.Authorized, Address: address(c),
		Subject: who.Subject, AuthTime: who.AuthTime, ACR: who.ACR, AMR: who.AMR})
	if err == nil {
		u.told(c, t, "deviceallowed")
	}
	return err
}

package authlete

import (
	"errors"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/web/wire"
)

// deviceCompleteRequest says how the user who entered a code answered.
type deviceCompleteRequest struct {
	UserCode string `json:"userCode"`
	completionRequest
}

// deviceComplete records the answer of a device's user.
func (d *Door) deviceComplete(c *call) (answer, error) {
	var in deviceCompleteRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	in.AudType = c.audType(in.AudType)
	a, err := in.completion()
	if err != nil {
		return nil, err
	}
	if in.UserCode == "" {
		return nil, errNoUserCode
	}
	p, err := d.Device.Verify(c.Request.Context(), c.tenant, in.UserCode, device.Guess{})
	if err == nil {
		wire.EventOf(c.Context).Client(p.ClientID)
		a.Actor, a.Address = wire.TokenOf(c.Context).ID, c.address()
		err = d.Device.Flow().Complete(c.Request.Context(), c.tenant, p, a)
	}
	switch {
	case errors.Is(err, decoupled.ErrConflict), errors.Is(err, decoupled.ErrNotFound): // another answer came first
		err = device.ErrUnknown.Because(err)
	case errors.Is(err, decoupled.ErrDisabled):
		err = unanswered(err)
	}
	if err != nil {
		return c.noDevice(completionNames.in(err), userCodeExpired, userCodeNotExist)
	}
	r := c.outcome(success, "The answer is recorded: the device asks for it.").result(succeeded, "")
	return &r, nil
}

// noDevice answers for a code that nothing waits for; any other error remains one.
func (c *call) noDevice(err error, over, none action) (answer, error) {
	var o outcome
	a := none
	switch {
	case device.Expired(err):
		o, a = c.outcome("302", "The user code has expired."), over
	case errors.Is(err, device.ErrUnknown):
		o = c.outcome(clients, "The user code is unknown or was used.")
	default:
		return nil, err
	}
	wire.EventOf(c.Context).Fail(err)
	r := o.result(a, "")
	return &r, nil
}

package connect2id

import (
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/web/wire"
)

// update takes the answer to the prompt that the session waits at.
func (d *Door) update(c *call) error {
	if err := c.readAJAX(); err != nil {
		return err
	}
	p, err := d.load(c)
	if err != nil {
		return err
	}
	res, err := answers[p.Step](d, c, p)
	if err != nil {
		return err
	}
	d.answer(c, res)
	return nil
}

// answers are how a body is read and what becomes of it, by the step that it answers.
var answers = map[authorize.Step]func(*Door, *call, *authorize.Pending) (authorize.Result, error){
	authorize.StepLogin: func(d *Door, c *call, p *authorize.Pending) (authorize.Result, error) {
		var in subjectUpdate
		if err := wire.ReadJSON(c.Context, maxBody, &in); err != nil {
			return authorize.Result{}, err
		}
		a, err := in.authentication()
		if err != nil {
			return authorize.Result{}, err
		}
		a.Address = c.address()
		return d.Authorize.Login(c.Request.Context(), c.tenant, p, a)
	},
	authorize.StepConsent: func(d *Door, c *call, p *authorize.Pending) (authorize.Result, error) {
		var in consentUpdate
		if err := wire.ReadJSON(c.Context, maxBody, &in); err != nil {
			return authorize.Result{}, err
		}
		a, err := in.consent(c.version.noScope)
		if err != nil {
			return authorize.Result{}, err
		}
		a.Address = c.address()
		return d.Authorize.Complete(c.Request.Context(), c.tenant, p, a)
	},
}

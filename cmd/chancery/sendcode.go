package main

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
)

// What may be wrong with a code on its way.
var (
	errNoSender = errors.New("the tenant has no hook that sends codes")
	errUnsent   = errors.New("the tenant's hook did not send the code")
)

// deliver has codes sent by the tenant's own code.
func deliver(hooks *script.Webhook) func(context.Context, *tenant.Tenant, account.Delivery) error {
	return func(ctx context.Context, t *tenant.Tenant, d account.Delivery) error {
		if t.Settings.Hook(tenant.HookSendCode) == nil {
			return oauth.Unavailable().Because(errNoSender)
		}
		facts := map[string]any{"sub": d.Subject, "code": d.Code, "expires_in": int64(d.ExpiresIn.Seconds()), "client_id": d.ClientID}
		if d.To != "" {
			facts["to"] = d.To
		}
		o, err := hooks.Run(ctx, t, script.Event{Hook: tenant.HookSendCode, Facts: facts})
		if err == nil && o.Action != script.Allow {
			err = oauth.Unavailable().Because(errUnsent)
		}
		return err
	}
}

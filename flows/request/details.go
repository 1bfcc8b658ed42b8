package request

import "github.com/chancery-id/chancery/flows/oauth"

// details reads the authorization details (RFC 9396 §2): of types that the tenant offers and the client registered.
func (d *draft) details() error {
	sent := d.get("authorization_details")
	if sent == "" {
		return nil
	}
	ds, err := oauth.ParseDetails(sent)
	if err == nil {
		err = d.tenant.Settings.CheckDetails(d.client, ds)
	}
	if err != nil {
		return err
	}
	d.Details = ds
	return nil
}

package request

import (
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
)

// ErrGrantID is the one answer to a grant_id that is unknown, over, or another client's.
var ErrGrantID = oauth.InvalidGrantID("grant_id is unknown, or over")

// grantManagement reads what shall become of which grant (Grant Management for OAuth 2.0 §5.1). Whoever may change a grant is
// its subject, and so it has to be the one that the request is about.
func (d *draft) grantManagement() error {
	set, action, id := d.tenant.Settings.GrantManagement, d.get("grant_management_action"), d.get("grant_id")
	if !set.Enabled || d.service.Granted == nil {
		return nil
	}
	switch {
	case action == "" && id != "":
		return oauth.InvalidRequest("grant_id needs a grant_management_action")
	case action == "" && set.ActionRequired:
		return oauth.InvalidRequest("grant_management_action is missing")
	case action == "":
		return nil
	case !slices.Contains([]string{oauth.GrantCreate, oauth.GrantMerge, oauth.GrantReplace}, action):
		return oauth.InvalidRequest("grant_management_action is none that there is")
	case d.client.Public():
		return oauth.InvalidRequest("a client without authentication cannot manage grants")
	case d.ResponseType != "" && d.ResponseType != oauth.ResponseCode:
		return oauth.InvalidRequest("grant_management_action needs the response_type code")
	case (action == oauth.GrantCreate) != (id == ""):
		return oauth.InvalidRequest("grant_id goes with the grant_management_action merge and replace, and with no other")
	}
	if d.GrantAction, d.GrantID = action, id; id == "" {
		return nil
	}
	sub, err := d.service.Granted(d.ctx, d.tenant, d.client, id)
	if err != nil {
		return err
	}
	if d.RequiredSub != "" && d.RequiredSub != sub {
		return ErrGrantID
	}
	d.RequiredSub = sub
	return nil
}

package connect2id

import (
	"net/http"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// version is what differs between the versions of the API. What a call does is the same in all.
type version struct {
	name     string
	respond  func(*Door, *call, authorize.Result) // the response that a request ended with
	refuse   func(*call, *oauth.Error)            // an error that may not go to the client
	formPost bool                                 // respond can carry a form
	ajax     bool                                 // the query may ask for 204 in place of 302
	data     bool                                 // the UI keeps data with the session
	extended bool                                 // prompts say what version 3 added
	noScope  bool                                 // consent without scope is consent to none
	deny     func(*call) (*oauth.Error, error)    // the error that a denied request ends with
}

// versions are the versions of the API.
var versions = []*version{
	{name: "v1", respond: (*Door).redirect, refuse: refuse220, ajax: true, deny: accessDenied},
	{name: "v2", respond: (*Door).redirect, refuse: refuse220, ajax: true, deny: accessDenied, data: true},
	{name: "v3", respond: (*Door).respondJSON, refuse: refuseJSON, formPost: true, deny: deniedAs, data: true, extended: true, noScope: true},
}

// errMode: only version 3 can hand over a form.
var errMode = oauth.InvalidRequest("response_mode form_post needs version v3 of this API")

// carries reports whether v can hand over a response in that mode.
func (v *version) carries(mode string) bool { return v.formPost || mode != oauth.ModeFormPost }

// readAJAX reads whether the UI wants 204 in place of 302, which a script's own client would follow by itself.
func (c *call) readAJAX() error {
	if !c.version.ajax {
		return nil
	}
	q, err := wire.Query(c.Context)
	if err != nil {
		return err
	}
	switch q.Get("ajax") {
	case "", "false":
	case "true":
		c.redirect = http.StatusNoContent
	default:
		return oauth.InvalidRequest("ajax must be true or false")
	}
	return nil
}

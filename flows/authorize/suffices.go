package authorize

import (
	"time"

	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Suffices reports whether the subject of who may answer r, which began then, as it is authenticated in that session: else it
// has to authenticate again. It is for requests that are answered elsewhere than in the browser that they came from.
func Suffices(now time.Time, s *tenant.Settings, r *request.Request, who *session.Session, began time.Time) bool {
	f := Facts{Session: who, Chosen: true, Began: began, Answered: !who.AuthTime.Before(began)}
	d := Decide(now, s, r, f)
	return d.Outcome == NeedConsent || d.Outcome == Approved
}

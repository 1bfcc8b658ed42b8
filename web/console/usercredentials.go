package console

import "time"

// passwordLink is what a user is sent who is to set a password.
type passwordLink struct {
	URL       string    `json:"url" doc:"Whoever opens it sets the password, once"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (d *Door) createPasswordLink(q *call) (passwordLink, error) {
	at, ends, err := d.Console.PasswordLink(q.Request.Context(), q.id, q.Param("sub"), q.by)
	return passwordLink{at, ends}, err
}

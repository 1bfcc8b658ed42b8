package console

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/registration"
)

// clientBody is the metadata of a client as it is sent.
type clientBody json.RawMessage

// clientDocument is a client as an administrator sees it: its metadata, and whether it is enabled. Secrets are in it
// only where they were just made.
type clientDocument json.RawMessage

// MarshalJSON writes the document.
func (d clientDocument) MarshalJSON() ([]byte, error) { return d, nil }

// MarshalJSON writes what was sent.
func (b clientBody) MarshalJSON() ([]byte, error) { return b, nil }

// clientMembers are the members of a client besides its metadata.
type clientMembers struct {
	ID           string `json:"client_id"`
	Enabled      bool   `json:"enabled"`
	Secret       string `json:"client_secret,omitempty" doc:"In the answer that made it"`
	SecretUntil  int64  `json:"client_secret_expires_at,omitempty"`
	IssuedAt     int64  `json:"client_id_issued_at,omitempty"`
	URI          string `json:"registration_client_uri,omitempty"`
	Registration string `json:"registration_access_token,omitempty" doc:"In the answer that made it"`
}

// client shows a client, whose last change becomes the ETag.
func (q *call) client(r registration.Response, err error) (clientDocument, error) {
	if err != nil {
		return nil, err
	}
	q.Header("ETag", etag(r.Client.UpdatedAt.UnixMicro()))
	return shownClient(r)
}

func shownClient(r registration.Response) (clientDocument, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	members["enabled"] = json.RawMessage(strconv.FormatBool(!r.Client.Disabled))
	return json.Marshal(members)
}

// clientList is a page of clients. Next is absent on the last one.
type clientList struct {
	Clients []clientDocument `json:"clients"`
	Next    string           `json:"next_cursor,omitempty"`
}

func (d *Door) listClients(q *call) (*clientList, error) {
	n, err := limitOf(q.query)
	if err != nil {
		return nil, err
	}
	list := "clients\x00" + string(q.id)
	after, err := afterOf(q.home, list, q.query)
	if err != nil {
		return nil, err
	}
	rs, err := d.Console.RegisteredClients(q.Request.Context(), q.id, after, n+1)
	if err != nil {
		return nil, err
	}
	page := &clientList{Clients: []clientDocument{}}
	for _, r := range rs[:min(n, len(rs))] {
		c, err := shownClient(r)
		if err != nil {
			return nil, err
		}
		page.Clients = append(page.Clients, c)
	}
	if len(rs) > n {
		page.Next = cursor(q.home, list, rs[n-1].Client.ID)
	}
	return page, nil
}

func (d *Door) createClient(q *call, b *clientBody) (clientDocument, error) {
	return q.client(d.Console.CreateClient(q.Request.Context(), q.id, json.RawMessage(*b), q.by))
}

func (d *Door) readClient(q *call) (clientDocument, error) {
	return q.client(d.Console.Client(q.Request.Context(), q.id, q.Param("client")))
}

func (d *Door) putClient(q *call, b *clientBody) (clientDocument, error) {
	r, err := d.Console.Client(q.Request.Context(), q.id, q.Param("client"))
	if err != nil {
		return nil, err
	}
	at, err := match(q.Context, r.Client.UpdatedAt.UnixMicro())
	if err != nil {
		return nil, err
	}
	var expect time.Time
	if at != 0 {
		expect = r.Client.UpdatedAt
	}
	return q.client(d.Console.ReplaceClient(q.Request.Context(), q.id, q.Param("client"), json.RawMessage(*b), expect, q.by))
}

// clientPatch is the body that disables or enables a client.
type clientPatch struct {
	Enabled *bool `json:"enabled" doc:"A client that is disabled cannot authenticate, and nothing is asked for in its name"`
}

func (d *Door) patchClient(q *call, b *clientPatch) (clientDocument, error) {
	if b.Enabled == nil {
		return d.readClient(q)
	}
	r, err := d.Console.Client(q.Request.Context(), q.id, q.Param("client"))
	if err != nil {
		return nil, err
	}
	if _, err := match(q.Context, r.Client.UpdatedAt.UnixMicro()); err != nil {
		return nil, err
	}
	return q.client(d.Console.SetClientDisabled(q.Request.Context(), q.id, q.Param("client"), !*b.Enabled, q.by))
}

func (d *Door) rotateClientSecret(q *call) (clientDocument, error) {
	return q.client(d.Console.RotateClientSecret(q.Request.Context(), q.id, q.Param("client"), q.by))
}

func (d *Door) deleteClient(q *call) (none, error) {
	return none{}, d.Console.DeleteClient(q.Request.Context(), q.id, q.Param("client"), q.by)
}

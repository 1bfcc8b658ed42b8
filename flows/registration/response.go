package registration

import (
	"encoding/json"
	"net/url"

	"github.com/chancery-id/chancery/tenant"
)

// Response is a client as its registrant is told of it (RFC 7591 §3.2.1, RFC 7592 §3). Its JSON is that answer. Secret
// is there only in the answer to the call that made it, and RegistrationToken also in those to calls made with it: stored
// are hashes.
type Response struct {
	Client            tenant.Client
	Secret            string
	RegistrationToken string
	URI               string // registration_client_uri
	Statement         string // as it was sent with the registration
}

func response(t *tenant.Tenant, c tenant.Client) Response {
	return Response{Client: c, URI: t.Issuer + "/clients/" + url.PathEscape(c.ID)}
}

// MarshalJSON writes the client information response.
func (r Response) MarshalJSON() ([]byte, error) {
	o, err := flatten(r.Client.Metadata)
	if err != nil {
		return nil, err
	}
	for _, member := range []struct {
		name  string
		value any
		there bool
	}{
		{"client_id", r.Client.ID, r.Client.ID != ""},
		{"client_id_issued_at", r.Client.CreatedAt.Unix(), r.Client.ID != ""},
		{"client_secret", r.Secret, r.Secret != ""},
		{"client_secret_expires_at", 0, r.Secret != ""},
		{"registration_client_uri", r.URI, r.URI != ""},
		{"software_statement", r.Statement, r.Statement != ""},
		{"registration_access_token", r.RegistrationToken, r.RegistrationToken != ""},
	} {
		if !member.there {
			continue
		}
		if o[member.name], err = json.Marshal(member.value); err != nil {
			return nil, err
		}
	}
	return json.Marshal(o)
}

// MarshalMetadata writes metadata as one JSON object with its translations as members.
func MarshalMetadata(m tenant.Metadata) ([]byte, error) {
	o, err := flatten(m)
	if err != nil {
		return nil, err
	}
	return json.Marshal(o)
}

// UnmarshalMetadata reads what MarshalMetadata wrote.
func UnmarshalMetadata(b []byte) (tenant.Metadata, error) {
	r, err := Parse(b)
	return r.Metadata, err
}

// flatten returns the members of m and its translations.
func flatten(m tenant.Metadata) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var o map[string]json.RawMessage
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, err
	}
	delete(o, "noted") // tenant.ServiceMetadata
	if m.NoGrants {
		delete(o, "no_grants")
		o["grant_types"] = json.RawMessage("[]")
	}
	for name, text := range m.Localized {
		if o[name], err = json.Marshal(text); err != nil {
			return nil, err
		}
	}
	return o, nil
}

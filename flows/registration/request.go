package registration

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Request is what a caller asks to be registered. A member of Metadata that is zero was not sent: on an update too it
// then gets its default (RFC 7592 §2.2).
type Request struct {
	Metadata        tenant.Metadata
	ClientID        string    // in an update: must be the client's own
	ClientSecret    string    // in an update: must be the client's own
	PreferredID     string    // master only
	PreferredSecret string    // master only
	SecretHash      string    // SHA-256 of a secret that is made elsewhere, in hexadecimal; master only
	Numbered        bool      // a new client's id is its number, as APIs that count clients have it
	RefreshSecret   bool      // in an update: make a new secret
	RefreshToken    bool      // in an update: make a new registration access token
	Expect          time.Time // in an update: when the client was changed last; zero: whenever
	Statement       string    // software statement, whose claims have precedence (RFC 7591 §2.3)
	DryRun          bool      // go through everything, but record nothing and make no credentials
	By              Authority
}

// MaxBody is the longest registration request, in bytes.
const MaxBody = 250_000

// Parse reads a registration or update request (RFC 7591 §3.1, RFC 7592 §2.2) into all but DryRun and By. Members
// that are unknown or null count as not sent. What is not a JSON object, or names a member twice, is invalid_request;
// a member of the wrong type is invalid_client_metadata.
func Parse(body []byte) (Request, error) {
	members, err := object(body)
	if err != nil {
		return Request{}, err
	}
	var r Request
	for name, raw := range members {
		if string(raw) == "null" {
			continue
		}
		if err := r.read(name, raw); err != nil {
			return Request{}, err
		}
	}
	return r, nil
}

// object reads the members of a JSON object, each of which may come once.
func object(body []byte) (map[string]json.RawMessage, error) {
	if len(body) > MaxBody {
		return nil, oauth.InvalidRequest("The body is too long")
	}
	malformed := oauth.InvalidRequest("The body is not a valid JSON object")
	if !json.Valid(body) || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return nil, malformed
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		return nil, malformed.Because(err)
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, malformed.Because(err)
		}
		key, _ := name.(string)
		if _, twice := members[key]; twice {
			return nil, oauth.InvalidRequest("The body names a member twice")
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, malformed.Because(err)
		}
		members[key] = raw
	}
	return members, nil
}

// read takes one member over.
func (r *Request) read(name string, raw json.RawMessage) error {
	if read := members[name]; read != nil {
		if !read(r, raw) {
			return oauth.InvalidClientMetadata(name + " is of the wrong type")
		}
		return nil
	}
	base, tag, tagged := strings.Cut(name, "#")
	if !tagged || !localizable[base] {
		return nil
	}
	v, ok := decode[string](raw)
	if !ok || !languageTag.MatchString(tag) {
		return oauth.InvalidClientMetadata(base + " has a translation that is not valid")
	}
	if r.Metadata.Localized == nil {
		r.Metadata.Localized = map[string]string{}
	}
	r.Metadata.Localized[name] = v
	return nil
}

package tenant

import "encoding/json"

// ServiceMetadata is what the numbered API was told of a client and nothing acts on. No client is told of it, nor is it any
// client's to change.
type ServiceMetadata struct {
	Noted map[string]json.RawMessage `json:"noted,omitempty"` // members of the API's client object, as they were given
}

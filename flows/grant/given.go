package grant

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// Property is what whoever decides a grant attaches to it for itself and, unless it is hidden, for the client.
type Property struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Hidden bool   `json:"hidden,omitempty"`
}

// joined adds claims to payload, a JSON object that begins with a member. What payload has, and what says what a token
// is, it does not replace.
func joined(payload []byte, claims map[string]json.RawMessage) ([]byte, error) {
	var own map[string]json.RawMessage
	if err := json.Unmarshal(payload, &own); err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(slices.Clone(payload[:len(payload)-1]))
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if _, there := own[name]; there || !Presettable(name) {
			continue
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b.WriteByte(',')
		b.Write(key)
		b.WriteByte(':')
		if err := json.Compact(b, claims[name]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

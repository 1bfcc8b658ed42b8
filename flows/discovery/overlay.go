package discovery

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/chancery-id/chancery/tenant"
)

// overlaid takes over what the tenant says of members of our own.
func (m *Metadata) overlaid() {
	for member, at := range map[string]*[]string{"scopes_supported": &m.Scopes, "claims_supported": &m.Claims, "display_values_supported": &m.Displays, "acr_values_supported": &m.ACRValues} {
		*at = m.overlay.List(member, *at)
	}
}

// MarshalJSON writes the document, with what the tenant adds to it behind.
func (m Metadata) MarshalJSON() ([]byte, error) {
	type plain Metadata
	doc, err := json.Marshal(plain(m))
	if err != nil {
		return nil, err
	}
	var own map[string]json.RawMessage
	if len(m.overlay) > 0 {
		if err := json.Unmarshal(doc, &own); err != nil {
			return nil, err
		}
	}
	for _, member := range slices.Sorted(maps.Keys(m.overlay)) {
		if _, there := own[member]; there || slices.Contains(tenant.OverlaidLists, member) {
			continue // what is ours stays ours
		}
		name, err := json.Marshal(member)
		if err != nil {
			return nil, err
		}
		doc = bytes.Join([][]byte{doc[:len(doc)-1], []byte(","), name, []byte(":"), m.overlay[member], []byte("}")}, nil)
	}
	return doc, nil
}

package authlete

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/oauth"
)

// authzDetails are authorization details (RFC 9396) as the API words them.
type authzDetails struct {
	Elements []authzDetail `json:"elements,omitempty"`
}

// authzDetail is one of them. Its members that are no common ones are a JSON object in a string.
type authzDetail struct {
	Type       string   `json:"type"`
	Locations  []string `json:"locations,omitempty"`
	Actions    []string `json:"actions,omitempty"`
	DataTypes  []string `json:"dataTypes,omitempty"`
	Identifier string   `json:"identifier,omitempty"`
	Privileges []string `json:"privileges,omitempty"`
	Others     string   `json:"otherFields,omitempty"`
}

// lists are the common members that are arrays, by their names in the standard (RFC 9396 §2.2).
func (e *authzDetail) lists() map[string]*[]string {
	return map[string]*[]string{"locations": &e.Locations, "actions": &e.Actions, "datatypes": &e.DataTypes, "privileges": &e.Privileges}
}

// detailsOf writes d in the API's words; none is nil.
func detailsOf(d oauth.Details) *authzDetails {
	if len(d) == 0 {
		return nil
	}
	out := &authzDetails{}
	for _, e := range d.Elements() {
		w := authzDetail{Type: e.Type}
		for name, to := range w.lists() {
			_ = json.Unmarshal(e.Members[name], to) // it was checked when it was read
			delete(e.Members, name)
		}
		_ = json.Unmarshal(e.Members["identifier"], &w.Identifier)
		delete(e.Members, "identifier")
		if len(e.Members) > 0 {
			b, _ := json.Marshal(e.Members) // JSON as it was read: cannot fail
			w.Others = string(b)
		}
		out.Elements = append(out.Elements, w)
	}
	return out
}

// details reads them; nil: none are given.
func (a *authzDetails) details() (*oauth.Details, error) {
	if len(a.Elements) == 0 {
		return nil, nil
	}
	var all []map[string]any
	for i := range a.Elements {
		e := &a.Elements[i]
		others, err := objectIn("otherFields", e.Others)
		if err != nil {
			return nil, err
		}
		m := map[string]any{}
		for name, raw := range others {
			m[name] = raw
		}
		for name, values := range e.lists() {
			if len(*values) > 0 {
				m[name] = *values
			}
		}
		if e.Identifier != "" {
			m["identifier"] = e.Identifier
		}
		m["type"] = e.Type
		all = append(all, m)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	d, err := oauth.ParseDetails(string(b))
	if err != nil {
		return nil, oauth.InvalidRequest(oauth.ErrorOf(err).Description).Because(err)
	}
	return &d, nil
}

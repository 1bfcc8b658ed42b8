package tenant

import (
	"slices"
	"strconv"

	"github.com/chancery-id/chancery/flows/oauth"
)

// DetailsType is a type of authorization details that clients of a tenant may ask for (RFC 9396 §2).
type DetailsType struct {
	Type     string   `json:"type"`
	Required []string `json:"required,omitempty"` // members that must be there
	Members  []string `json:"members,omitempty"`  // all that may be beside those; none: any may
}

// CheckDetails returns invalid_authorization_details where d holds a type that is not offered or that c has not registered,
// or that lacks a member or has one too many (RFC 9396 §5).
func (s *Settings) CheckDetails(c *Client, d oauth.Details) error {
	for _, e := range d.Elements() {
		i := slices.IndexFunc(s.Authorization.DetailsTypes, func(t DetailsType) bool { return t.Type == e.Type })
		if i < 0 {
			return oauth.InvalidAuthorizationDetails("authorization_details holds a type that is not supported")
		}
		if !slices.Contains(c.DetailsTypes, e.Type) {
			return oauth.InvalidAuthorizationDetails("the client may not ask for this type of authorization_details")
		}
		t := &s.Authorization.DetailsTypes[i]
		names := e.Names()
		for _, name := range t.Required {
			if !slices.Contains(names, name) {
				return oauth.InvalidAuthorizationDetails("authorization_details lacks a member that its type requires")
			}
		}
		if len(t.Members) > 0 && slices.ContainsFunc(names, func(name string) bool {
			return !slices.Contains(t.Members, name) && !slices.Contains(t.Required, name)
		}) {
			return oauth.InvalidAuthorizationDetails("authorization_details has a member that its type does not know")
		}
	}
	return nil
}

// DetailsTypeNames lists the types of authorization details that clients may ask for.
func (s *Settings) DetailsTypeNames() []string {
	var names []string
	for _, t := range s.Authorization.DetailsTypes {
		names = append(names, t.Type)
	}
	return names
}

// details checks the types of authorization details.
func (c *checker) details(types []DetailsType) {
	const at = "/authorization/details_types"
	c.that(len(types) <= maxItems, at, "has too many elements")
	for i, t := range types {
		pointer := at + "/" + strconv.Itoa(i)
		c.that(detailsType(t.Type), pointer+"/type", "is no type of authorization details")
		c.that(!slices.ContainsFunc(types[:i], func(o DetailsType) bool { return o.Type == t.Type }), pointer+"/type", "is repeated")
		c.list(pointer+"/required", t.Required, detailsMember, "is no name of a member beside type")
		c.list(pointer+"/members", t.Members, detailsMember, "is no name of a member beside type")
	}
}

// detailsType reports whether v may name a type: printable ASCII, as names and URIs are.
func detailsType(v string) bool { return oauth.ScopeValue(v) && len(v) <= maxItem }

func detailsMember(v string) bool { return oauth.ClaimName(v) && v != "type" }

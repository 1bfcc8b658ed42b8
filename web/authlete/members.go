package authlete

import (
	"cmp"
	"encoding/json"
	"errors"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// fate is what becomes of a member that is written.
type fate string

// The fates.
const (
	ours     fate = "told"     // by us, and not read
	honoured fate = "honoured" // it makes a setting
	document fate = "document" // it takes the place of ours in the document of the service
	kept     fate = "kept"     // told again as it was given
	sealed   fate = "sealed"   // kept, encrypted, and told to who may change the service
	refused  fate = "refused"  // unless it asks for nothing
)

// shape is the type of a member, in the words of the API.
type shape string

// is reports whether raw is of that type.
func (s shape) is(raw json.RawMessage) bool {
	var err error
	switch s {
	case "b":
		err = json.Unmarshal(raw, new(bool))
	case "i", "l":
		err = json.Unmarshal(raw, new(int64))
	case "s", "uri", "enum":
		err = json.Unmarshal(raw, new(string))
	case "s[]", "enum[]":
		err = json.Unmarshal(raw, new([]string))
	case "pair[]":
		err = json.Unmarshal(raw, new([]pair))
	case "taggedValue[]":
		err = json.Unmarshal(raw, new([]tagged))
	case "scope[]":
		err = json.Unmarshal(raw, new([]scopeObject))
	case "namedUri[]":
		err = json.Unmarshal(raw, new([]namedURI))
	case "object":
		err = json.Unmarshal(raw, new(map[string]json.RawMessage))
	case "object[]":
		err = json.Unmarshal(raw, new([]map[string]json.RawMessage))
	}
	return err == nil
}

// namedURI is a URI with a name.
type namedURI struct {
	Name string `json:"name"`
	URI  string `json:"uri"`
}

// errRefused is the cause of what contradicts what the server holds to, or that it cannot hold to.
var errRefused = errors.New("a member asks for what there is not")

// contradiction refuses a member. why goes on after its name.
func contradiction(member, why string) error {
	return oauth.InvalidRequest(member + " is refused: " + why).Because(errRefused)
}

// demanded reports whether raw asks for something: it is given, and not false.
func demanded(raw json.RawMessage) bool { return given(raw) && string(raw) != "false" }

// saidBy is a kept member of the service t; zero where it says nothing of that type.
func saidBy[V any](t *tenant.Tenant, name string) (v V) {
	if raw := t.Settings.Service.Members[name]; raw != nil && json.Unmarshal(raw, &v) != nil {
		return *new(V)
	}
	return v
}

// audType is the form of aud that a call asks for, or else the service.
func (c *call) audType(asked string) string {
	return cmp.Or(asked, saidBy[string](c.tenant, "idTokenAudType"))
}

// notSupported is why a member is refused that a caller would rely on.
const notSupported = "it is not supported"

package authlete

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"

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

// asKept is raw as it is kept: without white space, and without the nulls in it, which count as not given wherever they are. It is
// nil where nothing is left.
func asKept(raw json.RawMessage) (json.RawMessage, error) {
	var b bytes.Buffer
	err := json.Compact(&b, raw)
	if err == nil && bytes.Contains(b.Bytes(), []byte("null")) {
		var v any
		if v, err = decoded(b.Bytes()); err == nil {
			b.Reset()
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			err = e.Encode(withoutNulls(v))
		}
	}
	if out := json.RawMessage(bytes.TrimSpace(b.Bytes())); given(out) {
		return out, err
	}
	return nil, err
}

// withoutNulls leaves the nulls out of v.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, of := range v {
			if of == nil {
				delete(v, name)
			} else {
				v[name] = withoutNulls(of)
			}
		}
		return v
	case []any:
		out := v[:0]
		for _, of := range v {
			if of != nil {
				out = append(out, withoutNulls(of))
			}
		}
		return out
	}
	return v
}

// keptValues are the values of members that are kept. Callers know no other, and what they are told they must know.
var keptValues = map[string][]string{
	"idTokenAudType":                    {"array", "string"},
	"verifiedClaimsValidationSchemaSet": {"standard", "standard+id_document"},
	"supportedServiceProfiles":          {"FAPI", "OPEN_BANKING"},
	"supportedAttachments":              {"EMBEDDED", "EXTERNAL"},
	"supportedClientRegistrationTypes":  {"AUTOMATIC", "EXPLICIT"},
	"clientRegistrationTypes":           {"AUTOMATIC", "EXPLICIT"},
	"supportedSnses":                    {"FACEBOOK"},
	"supportedDeveloperSnses":           {"FACEBOOK"},
	"responseModes":                     {"QUERY", "FRAGMENT", "FORM_POST", "JWT", "QUERY_JWT", "FRAGMENT_JWT", "FORM_POST_JWT"},
}

// known refuses values that a kept member cannot have.
func known(name string, raw json.RawMessage) error {
	values := keptValues[name]
	if values == nil || raw == nil {
		return nil
	}
	var given []string
	var one string
	if json.Unmarshal(raw, &one) == nil {
		given = []string{one}
	} else if err := json.Unmarshal(raw, &given); err != nil {
		return err
	}
	for _, v := range given {
		if !slices.Contains(values, v) {
			return oauth.InvalidRequest(name + " holds an unknown value")
		}
	}
	return nil
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

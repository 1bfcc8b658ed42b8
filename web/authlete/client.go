package authlete

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// clientRef says which client an answer is about.
type clientRef struct {
	Number     int64  `json:"clientId,omitempty"`
	Alias      string `json:"clientIdAlias,omitempty"`
	AliasUsed  bool   `json:"clientIdAliasUsed"`
	Attributes []pair `json:"clientAttributes,omitempty"`
}

// refOf refers to c. A client has one id for its requests: its alias, which is its number unless another was given.
func refOf(c *tenant.Client) *clientRef {
	return &clientRef{Number: c.Number, Alias: c.ID, AliasUsed: aliased(c), Attributes: clientAttributes(c)}
}

// aliased reports whether c has another id than its number.
func aliased(c *tenant.Client) bool { return c.ID != strconv.FormatInt(c.Number, 10) }

// clientView is what the pages of an authorization server show of a client.
type clientView struct {
	Number       int64    `json:"clientId"`
	Sequence     int64    `json:"number"`
	Alias        string   `json:"clientIdAlias"`
	AliasEnabled bool     `json:"clientIdAliasEnabled"`
	Name         string   `json:"clientName,omitempty"`
	Names        []tagged `json:"clientNames,omitempty"`
	LogoURI      string   `json:"logoUri,omitempty"`
	LogoURIs     []tagged `json:"logoUris,omitempty"`
	ClientURI    string   `json:"clientUri,omitempty"`
	ClientURIs   []tagged `json:"clientUris,omitempty"`
	PolicyURI    string   `json:"policyUri,omitempty"`
	PolicyURIs   []tagged `json:"policyUris,omitempty"`
	TOSURI       string   `json:"tosUri,omitempty"`
	TOSURIs      []tagged `json:"tosUris,omitempty"`
	Type         string   `json:"clientType"`
	Attributes   []pair   `json:"attributes,omitempty"`
}

func limitedClient(c *tenant.Client) *clientView {
	return &clientView{Number: c.Number, Sequence: c.Number, Alias: c.ID, AliasEnabled: true, Name: c.Name, Names: translations(c, "client_name"),
		LogoURI: c.LogoURI, LogoURIs: translations(c, "logo_uri"), ClientURI: c.URI, ClientURIs: translations(c, "client_uri"),
		PolicyURI: c.PolicyURI, PolicyURIs: translations(c, "policy_uri"), TOSURI: c.TOSURI, TOSURIs: translations(c, "tos_uri"),
		Type: clientType(c), Attributes: clientAttributes(c)}
}

func clientType(c *tenant.Client) string {
	if c.Public() {
		return "PUBLIC"
	}
	return "CONFIDENTIAL"
}

// authMethodOf is how c authenticates.
func authMethodOf(c *tenant.Client) string {
	return authMethods.here(cmp.Or(c.TokenEndpointAuthMethod, oauth.AuthBasic))
}

// translations are the values of a metadata member by language.
func translations(c *tenant.Client, member string) []tagged {
	var out []tagged
	for _, name := range slices.Sorted(maps.Keys(c.Localized)) {
		if tag, ok := strings.CutPrefix(name, member+"#"); ok && c.Localized[name] != "" {
			out = append(out, tagged{tag, c.Localized[name]})
		}
	}
	return out
}

// clientAttributes are those members of a client's data that are strings.
func clientAttributes(c *tenant.Client) []pair {
	var data map[string]any
	if json.Unmarshal(c.Data, &data) != nil {
		return nil
	}
	texts := map[string]string{}
	for name, v := range data {
		if s, ok := v.(string); ok {
			texts[name] = s
		}
	}
	return attributes(texts)
}

// attributes are free pairs, sorted by key.
func attributes(m map[string]string) []pair {
	var out []pair
	for _, key := range slices.Sorted(maps.Keys(m)) {
		out = append(out, pair{key, m[key]})
	}
	return out
}

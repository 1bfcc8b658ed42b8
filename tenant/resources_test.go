package tenant

import "testing"

func TestCheckResources(t *testing.T) {
	for _, c := range []struct {
		rule      string
		resources map[string]ResourceSettings
		want      string // pointer of what is wrong
	}{
		{"a full one", map[string]ResourceSettings{"mcp": {Resource: "https://mcp.example/mcp?x=1", Name: "Werkzeuge für alle", Scopes: []string{"a", "b"},
			Documentation: "https://mcp.example/", PolicyURI: "https://mcp.example/p", TOSURI: "https://mcp.example/t", DPoPBound: true}}, ""},
		{"one of this machine", map[string]ResourceSettings{"mcp": {Resource: "http://127.0.0.1:9000/mcp"}}, ""},
		{"no identifier", map[string]ResourceSettings{"mcp": {}}, "/resources/mcp/resource"},
		{"plain http", map[string]ResourceSettings{"mcp": {Resource: "http://mcp.example"}}, "/resources/mcp/resource"},
		{"a fragment", map[string]ResourceSettings{"mcp": {Resource: "https://mcp.example/#x"}}, "/resources/mcp/resource"},
		{"a name that is no path segment", map[string]ResourceSettings{"a/b": {Resource: "https://mcp.example"}}, "/resources/a~1b"},
		{"a name of dots", map[string]ResourceSettings{"..": {Resource: "https://mcp.example"}}, "/resources/.."},
		{"the name of our own", map[string]ResourceSettings{"userinfo": {Resource: "https://mcp.example"}}, "/resources/userinfo"},
		{"a scope value that is none", map[string]ResourceSettings{"mcp": {Resource: "https://mcp.example", Scopes: []string{"a b"}}}, "/resources/mcp/scopes_supported/0"},
		{"a link that is code", map[string]ResourceSettings{"mcp": {Resource: "https://mcp.example", TOSURI: "javascript:alert(1)"}}, "/resources/mcp/resource_tos_uri"},
		{"a name with a line break", map[string]ResourceSettings{"mcp": {Resource: "https://mcp.example", Name: "a\nb"}}, "/resources/mcp/resource_name"},
	} {
		s := Settings{Resources: c.resources}
		found := s.Check()
		if c.want == "" && found != nil || c.want != "" && (len(found) != 1 || found[0].Pointer != c.want) {
			t.Errorf("%s: %v", c.rule, found)
		}
	}
	s := Settings{Resources: map[string]ResourceSettings{"a": {Resource: "https://mcp.example"}, "b": {Resource: "https://mcp.example"}}}
	if len(s.Check()) != 1 {
		t.Error("two resources have one identifier")
	}
}

func TestMayTarget(t *testing.T) {
	acme := &Tenant{Issuer: "https://id.example", Settings: &Settings{Resources: map[string]ResourceSettings{"mcp": {Resource: "https://mcp.example/mcp"}}}}
	for _, c := range []struct {
		only     bool
		resource string
		want     bool
	}{
		{false, "https://any.example", true}, {true, "https://any.example", false}, {true, "https://mcp.example/mcp", true},
		{true, "https://mcp.example/mcp/", false}, {true, "https://id.example/userinfo", true},
	} {
		acme.Settings.ResourcesOnly = c.only
		if got := acme.MayTarget(c.resource); got != c.want {
			t.Errorf("only %v, %s: %v", c.only, c.resource, got)
		}
	}
}

package authlete

import (
	commandline "flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = commandline.Bool("update", false, "write the documentation of the members anew")

// membersPage is generated from the tables.
const membersPage = "../../docs/dialects/authlete-members.md"

// fates say in words what becomes of a member.
var fates = []struct {
	fate fate
	says string
}{
	{ours, "we tell it, and it is not read"},
	{honoured, "it makes the setting, or the metadata, that the last column names"},
	{document, "in the answer of `/service/configuration` it takes the place of ours, which stands there where it is left out"},
	{kept, "it is told again as it was given, and nothing acts on it but what the last column says"},
	{sealed, "kept, encrypted under the tenant's secret, and told to who may change the service"},
	{refused, "400 with the result code `A…203`, unless it asks for nothing"},
}

func membersText() string {
	var b strings.Builder
	b.WriteString("# Members of services and clients\n\nGenerated from the tables of `web/authlete` by `go test ./web/authlete -run TestMembersAreDocumented -update`; a test holds it to them.\n" +
		"How they are read is in [authlete.md](authlete.md#services).\n\n| | what becomes of a member |\n|---|---|\n")
	for _, f := range fates {
		fmt.Fprintf(&b, "| %s | %s |\n", f.fate, f.says)
	}
	row := func(name string, of shape, what fate, note string) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, of, what, note)
	}
	const head = "\n| member | type | | |\n|---|---|---|---|\n"
	b.WriteString("\n## Services\n" + head)
	for _, m := range serviceMembers {
		row(m.name, m.shape, m.fate, m.note)
	}
	b.WriteString("\n## Clients\n" + head)
	for _, m := range clientMembers {
		row(m.name, m.shape, m.fate, m.note)
	}
	return b.String()
}

func TestMembersAreDocumented(t *testing.T) {
	want := membersText()
	if *update {
		if err := os.WriteFile(membersPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(membersPage)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the tables say, run the test with -update (%v)", membersPage, err)
	}
}

// The API has 197 members of a service and 109 of a client. Each is in its table once, with all that its fate needs.
func TestEveryMemberHasOneFate(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range serviceMembers {
		if seen[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		seen[m.name] = true
		switch {
		case m.fate == honoured && (m.show == nil || m.take == nil || m.pointer == "" && m.name != "accessTokenType"),
			m.fate != honoured && m.fate != document && m.take != nil, m.fate == refused && m.note == "", m.fate == document && m.doc.name == "" && m.name != "registrationManagementEndpoint":
			t.Errorf("%s lacks something, or has too much", m.name)
		}
	}
	if len(seen) != 197 {
		t.Errorf("there are %d members of a service", len(seen))
	}
	seen = map[string]bool{}
	for _, m := range clientMembers {
		if seen[m.name] {
			t.Errorf("%s is there twice", m.name)
		}
		seen[m.name] = true
		switch {
		case m.fate == honoured && (m.show == nil || m.take == nil), m.fate != honoured && m.take != nil, m.fate == refused && m.note == "",
			m.fate != ours && m.fate != honoured && m.fate != kept && m.fate != refused:
			t.Errorf("%s lacks something, or has too much", m.name)
		}
	}
	if len(seen) != 109 {
		t.Errorf("there are %d members of a client", len(seen))
	}
}

// What the registry says of a member is told of the member that the caller knows.
func TestErrorsNameMembersOfTheAPI(t *testing.T) {
	said := regexp.MustCompile("^`([a-z_]+)`")
	for _, m := range clientMembers {
		names := said.FindStringSubmatch(m.note)
		if m.fate != honoured || names == nil || m.name == "clientType" || m.name == "fapiModes" {
			continue
		}
		if got := clientNames.here(names[1]); got != m.name && names[1] != m.name {
			t.Errorf("%s is called %q", m.name, got)
		}
	}
}

// What is kept holds no null and no value that callers do not know, since that is told to them (section 21 of the reference).
func TestNothingIsKeptThatCallersReject(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		known := w.known(t)
		service, client := "/api/"+known["$acme"]+"/service/", "/api/"+known["$acme"]+"/client/"
		post := func(path, body string) (int, string) {
			rec := w.call("POST", path, body, with("Authorization", "Bearer chy_acme_all"))
			return rec.Code, rec.Body.String()
		}
		for _, c := range []struct{ path, sent, member, told string }{
			{service + "update", `{"supportedScopes":[{"name":"openid","defaultEntry":null,"description":null,"descriptions":[null],"attributes":null}]}`, "supportedScopes", "[map[descriptions:[] name:openid]]"},
			{service + "update", `{"mtlsEndpointAliases":[{"name":"token_endpoint","uri":"https://mtls.example/token"},null]}`, "mtlsEndpointAliases", "[map[name:token_endpoint uri:https://mtls.example/token]]"},
			{service + "update", `{"snsCredentials":[null,{"sns":"FACEBOOK","apiKey":null}]}`, "snsCredentials", "[map[sns:FACEBOOK]]"},
			{service + "update", `{"supportedUiLocales":[ null ],"supportedClaims":["null"]}`, "supportedClaims", "[null]"},
			{client + "create", `{"clientName":"a","descriptions":[{"tag":null,"value":"<x>"},null],"clientRegistrationTypes":[null]}`, "descriptions", "[map[value:<x>]]"},
		} {
			code, body := post(c.path, c.sent)
			if code != 200 || fmt.Sprint(members([]byte(body))[c.member]) != c.told || strings.Contains(body, ":null") || strings.Contains(body, "[null") || strings.Contains(body, "supportedUiLocales") || strings.Contains(body, "RegistrationTypes") {
				t.Errorf("%s %s: %d %s", c.path, c.sent, code, body)
			}
		}
		for name := range keptValues {
			path := service + "update"
			if name == "responseModes" || name == "clientRegistrationTypes" {
				path = client + "create"
			}
			for _, sent := range []string{`"FOO"`, `["FOO"]`} {
				if code, body := post(path, `{"`+name+`":`+sent+`}`); code != 400 {
					t.Errorf("%s %s: %d %s", name, sent, code, body)
				}
			}
		}
	})
}

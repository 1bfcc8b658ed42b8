package console

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	file "github.com/chancery-id/chancery/web/properties"
)

// newImport is the body that makes a tenant of a file of properties.
type newImport struct {
	Properties string `json:"properties" need:"yes" doc:"The file, as Java reads files of properties"`
	ID         string `json:"tenant_id" doc:"Made of the issuer where left out"`
	DryRun     bool   `json:"dry_run" doc:"Only the report is made, and no tenant"`
}

func (b *newImport) about() tenant.ID { return tenant.ID(b.ID) }

// importReport says of each line of the file what came of it. It holds no secrets.
type importReport struct {
	ID       string         `json:"tenant_id,omitempty"`
	Issuer   string         `json:"issuer,omitempty"`
	Imported bool           `json:"imported" doc:"The tenant was made, with all that was taken. It is not where anything was refused"`
	Refused  int            `json:"refused" doc:"How many lines were"`
	Lines    []importedLine `json:"lines"`
}

// importedLine is what came of a line. Of several that belong together there is one; of a key set there is one more for each key.
type importedLine struct {
	First    int    `json:"line" doc:"0: the file does not say it"`
	Last     int    `json:"last_line,omitempty" doc:"Where it goes on on others"`
	Property string `json:"property,omitempty"`
	Key      string `json:"key,omitempty" doc:"Of the key set, by its kid"`
	Outcome  string `json:"outcome" doc:"taken, ignored, refused, or absent: the file does not say it, and that server does otherwise than this"`
	As       string `json:"as,omitempty" doc:"What it is here: a setting, issuer, aliases, keys or tokens"`
	Value    string `json:"value,omitempty"`
	Why      string `json:"why,omitempty"`
}

// What comes of lines.
const (
	taken   = "taken"
	ignored = "ignored"
	refused = "refused"
	absent  = "absent"
)

// The properties that are no settings.
const (
	aliasProperty = "op.issuerAliases"
	keysProperty  = "jose.jwkSet"
)

// mistakable begin the names by which that server knows what a tenant does. One that we do not know may be mistyped.
var mistakable = []string{"op.", "authzStore.", "sessionStore.", "jose."}

// noValue is why a line is ignored that gives a property nothing: that server takes it for one that is not there.
const noValue = "has no value, which is as if the file did not say it"

// elsewhere is what that server does without a property to say it, and we do otherwise.
var elsewhere = []importedLine{
	{Outcome: absent, As: "tokens.refresh_token_idle", Why: "there a refresh token may lie unused for as long as it lives; here 30 days"},
}

// importing is a file on its way to become a tenant.
type importing struct {
	report importReport
	tenant admin.New
	tokens tokenProps
	values map[int]string // as they were sent, by the index of their line in the report
}

// importTenant makes a tenant of a file, or nothing where a line of it is refused.
func (d *Door) importTenant(q *call, b *newImport) (*importReport, error) {
	im := &importing{tenant: admin.New{ID: b.ID}, tokens: tokenProps{}, values: map[int]string{}}
	for _, l := range file.Parse([]byte(b.Properties)) {
		im.line(d, l)
	}
	n := im.draft()
	if n.Issuer != "" {
		err := d.Console.TryTenant(q.Request.Context(), n)
		if err != nil && !im.blame(err) && (b.DryRun || !errors.Is(err, tenant.ErrExists)) {
			return nil, err
		}
	}
	im.conclude()
	if im.report.Refused > 0 || b.DryRun {
		return &im.report, nil
	}
	out, err := d.Console.CreateTenant(q.Request.Context(), n, q.by)
	if err != nil {
		return nil, err
	}
	im.report.ID, im.report.Issuer, im.report.Imported = string(out.TenantID), out.Issuer, true
	return &im.report, nil
}

// line takes a line of the file over.
func (im *importing) line(d *Door, l file.Line) {
	row := importedLine{First: l.First, Outcome: ignored}
	if l.Last > l.First {
		row.Last = l.Last
	}
	if l.Kind != file.Property {
		im.unsaid(row, l.Kind)
		return
	}
	row.Property = l.Name[:min(len(l.Name), 200)]
	value := strings.TrimSpace(l.Value)
	same := slices.IndexFunc(im.report.Lines, func(r importedLine) bool { return r.Property == l.Name && r.Key == "" })
	row.Outcome = refused
	switch {
	case l.Wrong != "":
		row.Why = l.Wrong
	case l.Name == "":
		row.Why = "has no name"
	case same >= 0:
		row.Why = "is repeated, after line " + strconv.Itoa(im.report.Lines[same].First)
	case strings.Contains(value, "${"):
		row.Why = "refers to what is not in the file"
	default:
		im.take(d, &row, l.Name, value)
		return
	}
	im.report.Lines = append(im.report.Lines, row)
}

// unsaid adds comments and blank lines, of which those that follow each other are one row.
func (im *importing) unsaid(row importedLine, kind file.Kind) {
	row.Why = map[file.Kind]string{file.Comment: "a comment", file.Blank: "blank"}[kind]
	if n := len(im.report.Lines); n > 0 {
		before := &im.report.Lines[n-1]
		if before.Property == "" && before.Why == row.Why {
			before.Last = max(row.First, row.Last)
			return
		}
	}
	im.report.Lines = append(im.report.Lines, row)
}

// take takes one property over and adds its row.
func (im *importing) take(d *Door, row *importedLine, name, value string) {
	wrong := ""
	scope, ofScope := strings.CutPrefix(name, scopeProperty)
	alias, numbered := strings.CutPrefix(name, aliasProperty+".")
	p := propertyNamed(name)
	switch {
	case value == "" && (name == issuerProperty || name == keysProperty || numbered || hashed(name) || p != nil && !p.idle):
		row.Outcome, row.Why = ignored, noValue
	case name == issuerProperty:
		row.As, row.Value = "issuer", value
		im.tenant.Issuer = value
	case numbered && alias != "":
		row.As, row.Value = "aliases", value
		im.tenant.Aliases = append(im.tenant.Aliases, value)
	case name == aliasProperty:
		wrong = "must name each alias as " + aliasProperty + ".1 and so on: none is whatever a proxy says"
	case name == keysProperty:
		im.takeKeys(d, row, value)
		return
	case ofScope && scope != "":
		s := &im.tenant.Settings.Authorization
		if s.ClaimsOfScope == nil {
			s.ClaimsOfScope = map[string][]string{}
		}
		row.As, row.Value = "authorization.claims_of_scope."+scope, strings.Join(separated(value), " ")
		s.ClaimsOfScope[scope] = separated(value)
	case hashed(name):
		if err := im.tokens.add(name, value); err != nil {
			wrong = "must be a SHA-256 in hexadecimal"
		} else {
			row.As, row.Value = "tokens", apiOf(name)
		}
	case p == nil && slices.ContainsFunc(mistakable, func(prefix string) bool { return strings.HasPrefix(name, prefix) }):
		wrong = unsupported
	case p == nil:
		row.Outcome, row.Why = ignored, "is none of the settings of a tenant"
	case p.idle:
		row.Outcome, row.Why = ignored, plainly(p.ours)
	default:
		wrong = p.set(&im.tenant.Settings, value)
		row.As = dotted(p.pointer)
		if row.As == "" {
			row.Value = value
		}
	}
	switch {
	case wrong != "":
		row.Outcome, row.As, row.Value, row.Why = refused, "", "", wrong
	case row.Outcome == refused:
		row.Outcome = taken
	}
	im.values[len(im.report.Lines)] = value
	im.report.Lines = append(im.report.Lines, *row)
}

// hashed reports whether a property holds the hash of a token of a tenant.
func hashed(name string) bool { return apiOf(name) != "" }

// apiOf is what the token is for whose hash a property holds; empty where it holds none.
func apiOf(name string) string {
	for _, p := range hashProperties {
		if label, ok := strings.CutPrefix(name, p.prefix+hashSuffix); ok && (label == "" || len(label) > 1 && label[0] == '.') {
			return string(p.api)
		}
	}
	return ""
}

// takeKeys takes a key set over, JSON or that in BASE64URL.
func (im *importing) takeKeys(d *Door, row *importedLine, value string) {
	doc := []byte(value)
	if !strings.HasPrefix(value, "{") {
		doc, _ = base64.RawURLEncoding.DecodeString(strings.TrimRight(value, "="))
	}
	fs, err := keys.ParseForeign(doc, d.Console.Now())
	if err != nil {
		row.Why = "must be a JWK set of at most 32 keys, as JSON or in BASE64URL"
		im.report.Lines = append(im.report.Lines, *row)
		return
	}
	at := len(im.report.Lines)
	row.Outcome, row.As = taken, "keys"
	im.report.Lines = append(im.report.Lines, *row)
	n := 0
	for _, f := range fs {
		r := importedLine{First: row.First, Last: row.Last, Property: row.Property, Key: f.Kid, Outcome: ignored, Why: f.Why}
		if r.Key == "" {
			r.Key = "without kid"
		}
		if f.Why == "" {
			r.Outcome, r.As, r.Value = taken, "keys", string(f.Key.Alg)
			if slices.ContainsFunc(im.tenant.Keys, func(k keys.Key) bool { return k.Alg == f.Key.Alg }) {
				r.Why = "an earlier key signs, or is encrypted to; this one only verifies, or opens, until what was made with it has expired"
			}
			im.tenant.Keys = append(im.tenant.Keys, f.Key)
			n++
		}
		im.report.Lines = append(im.report.Lines, r)
	}
	im.report.Lines[at].Value = strconv.Itoa(n) + " of " + strconv.Itoa(len(fs)) + " keys"
	if n == 0 {
		im.report.Lines[at].Outcome, im.report.Lines[at].Why = ignored, "the tenant gets new keys"
	}
}

// draft is the tenant to be, once all lines are read. What is wrong with them together is told of each.
func (im *importing) draft() admin.New {
	s := &im.tenant.Settings
	said := map[string]bool{}
	for i := range im.report.Lines {
		row := &im.report.Lines[i]
		said[row.Property] = said[row.Property] || row.Why != noValue
		if p := propertyNamed(row.Property); p != nil && p.after != nil && row.Outcome == taken {
			im.refuse(i, p.after(s, im.values[i]))
		}
	}
	if !said[issuerProperty] {
		im.report.Lines = append(im.report.Lines, importedLine{Property: issuerProperty, Outcome: refused,
			Why: "is missing: clients know that server by it, and it never changes here"})
	}
	for _, p := range properties {
		if p.there != "" && !said[p.name] {
			im.report.Lines = append(im.report.Lines, importedLine{Property: p.name, Outcome: absent, As: dotted(p.pointer), Why: "there it is " + p.there})
		}
	}
	im.report.Lines = append(im.report.Lines, elsewhere...)
	for _, f := range s.Check() {
		im.blame(&admin.Invalid{Fields: []tenant.FieldError{{Pointer: "/settings" + f.Pointer, Message: f.Message}}})
	}
	im.tenant.Tokens = im.tokens.sorted()
	if im.tenant.ID == "" {
		im.tenant.ID = idOf(im.tenant.Issuer)
	}
	im.report.ID, im.report.Issuer = im.tenant.ID, im.tenant.Issuer
	return im.tenant
}

// refuse refuses a line, if there is something wrong with it.
func (im *importing) refuse(i int, wrong string) {
	if wrong != "" {
		row := &im.report.Lines[i]
		row.Outcome, row.As, row.Value, row.Why = refused, "", "", wrong
	}
}

// blame tells what is not acceptable of the lines that it came from. It reports whether err is of that kind.
func (im *importing) blame(err error) bool {
	e, ok := errors.AsType[*admin.Invalid](err)
	if !ok {
		return false
	}
	for _, f := range e.Fields {
		name, found := nameOf(f.Pointer), false
		if f.Pointer == "/aliases" {
			name = aliasProperty
		}
		setting := strings.TrimPrefix(f.Pointer, "/settings")
		for i := range im.report.Lines {
			row := &im.report.Lines[i]
			p := propertyNamed(row.Property)
			of := p != nil && p.pointer != "" && (setting == p.pointer || strings.HasPrefix(setting, p.pointer+"/"))
			if row.Key == "" && (of || row.Property == name || strings.HasPrefix(row.Property, name+".")) && (row.Outcome == taken || row.Outcome == refused) {
				found = true
				if row.Outcome == taken {
					im.refuse(i, f.Message)
				}
			}
		}
		if !found {
			im.report.Lines = append(im.report.Lines, importedLine{Property: name, Outcome: refused, Why: f.Message})
		}
	}
	return true
}

// conclude writes the values that settings have, and counts what was refused.
func (im *importing) conclude() {
	doc, _ := json.Marshal(im.tenant.Settings) // settings always can be
	for i := range im.report.Lines {
		row := &im.report.Lines[i]
		if row.Outcome == refused {
			im.report.Refused++
		}
		if p := propertyNamed(row.Property); p != nil && p.pointer != "" && row.Outcome == taken {
			row.Value = settingAt(doc, p.pointer)
		}
	}
}

// settingAt is the value of a setting as it is stored.
func settingAt(doc json.RawMessage, pointer string) string {
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		var members map[string]json.RawMessage
		if json.Unmarshal(doc, &members) != nil || members[name] == nil {
			return "the default"
		}
		doc = members[name]
	}
	var text string
	if json.Unmarshal(doc, &text) == nil {
		return text
	}
	return string(doc)
}

// dotted is a JSON pointer as settings are named on the command line.
func dotted(pointer string) string {
	return strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
}

// plainly is what the documentation says without its marks.
func plainly(s string) string { return strings.ReplaceAll(s, "`", "") }

// idOf makes the id of a tenant of its issuer: host and path, with hyphens.
func idOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(u.Hostname()+u.EscapedPath()))
	return strings.Trim(id[:min(len(id), 63)], "-")
}

package tenant

// A tenant may have aliases: further issuers, each of which is a face of it. What a client begins at a face carries the
// issuer of that face to its end, whoever ends it, as the client knows no other (OIDC Discovery §4.3, RFC 9207 §2.4).

// MaxAliases is how many aliases a tenant may have.
const MaxAliases = 10

// faced gives t a face for each alias.
func (t *Tenant) faced(aliases []string) {
	if len(aliases) == 0 {
		return
	}
	t.faces = map[string]*Tenant{"": t}
	for _, issuer := range aliases {
		f := *t
		f.Issuer, f.face = issuer, issuer
		t.faces[issuer] = &f
	}
	for _, f := range t.faces {
		f.faces = t.faces
	}
}

// Face is the alias that the tenant is seen under, or empty for the issuer that it was made with.
func (t *Tenant) Face() string { return t.face }

// At is the tenant seen under a face. One that it has no longer is that of the issuer it was made with.
func (t *Tenant) At(face string) *Tenant {
	if face == t.face || t.faces == nil {
		return t
	}
	if f, ok := t.faces[face]; ok {
		return f
	}
	return t.faces[""]
}

// Owns reports whether issuer is the tenant's under any of its faces.
func (t *Tenant) Owns(issuer string) bool {
	return issuer == t.Issuer || issuer != "" && t.faces != nil && (t.faces[issuer] != nil || t.faces[""].Issuer == issuer)
}

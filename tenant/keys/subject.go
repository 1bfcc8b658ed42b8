package keys

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrSubject is the one error of ParseSubject.
var ErrSubject = errors.New("keys: not a distinguished name")

// Subject is a distinguished name: relative names from the most significant on, each of one or several attributes.
type Subject [][]typedValue

// A typedValue is one attribute of a relative name. Its value is what the characters of its ASN.1 string are in UTF-8, or else the
// value in DER.
type typedValue struct {
	oid   string // dotted
	value string
	der   bool
}

// attributeTypes are the short names of attribute types, in upper case (RFC 4514 §3, RFC 4519 §2, and what is usual).
var attributeTypes = map[string]string{
	"CN": "2.5.4.3", "SN": "2.5.4.4", "SERIALNUMBER": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "STREET": "2.5.4.9",
	"O": "2.5.4.10", "OU": "2.5.4.11", "TITLE": "2.5.4.12", "BUSINESSCATEGORY": "2.5.4.15", "POSTALCODE": "2.5.4.17", "GIVENNAME": "2.5.4.42",
	"GN": "2.5.4.42", "DNQUALIFIER": "2.5.4.46", "ORGANIZATIONIDENTIFIER": "2.5.4.97", "DC": "0.9.2342.19200300.100.1.25",
	"UID": "0.9.2342.19200300.100.1.1", "EMAILADDRESS": "1.2.840.113549.1.9.1", "E": "1.2.840.113549.1.9.1",
	"JURISDICTIONC": "1.3.6.1.4.1.311.60.2.1.3", "JURISDICTIONCOUNTRYNAME": "1.3.6.1.4.1.311.60.2.1.3",
}

// maxSubject is the longest distinguished name, in bytes.
const maxSubject = 2048

// ParseSubject reads a distinguished name in its string form (RFC 4514 §3).
func ParseSubject(s string) (Subject, error) {
	if s == "" || len(s) > maxSubject || !utf8.ValidString(s) {
		return nil, ErrSubject
	}
	var name Subject
	var relative []typedValue
	for rest := s; ; {
		a, end, after, ok := parseAttribute(rest)
		if !ok {
			return nil, ErrSubject
		}
		relative = append(relative, a)
		if end != '+' {
			name, relative = append(name, relative), nil
		}
		if end == 0 {
			break
		}
		rest = strings.TrimLeft(after, " ")
	}
	slices.Reverse(name) // the string form begins with the last
	return name, nil
}

// parseAttribute reads type, = and value, up to the separator end; 0: the end of s.
func parseAttribute(s string) (a typedValue, end byte, after string, ok bool) {
	typ, rest, ok := strings.Cut(s, "=")
	if a.oid = typeOf(strings.TrimSpace(typ)); !ok || a.oid == "" {
		return a, 0, "", false
	}
	rest = strings.TrimLeft(rest, " ")
	if hexed, is := strings.CutPrefix(rest, "#"); is {
		n := strings.IndexAny(hexed, ",+;")
		if n < 0 {
			n = len(hexed)
		}
		der, err := hex.DecodeString(strings.TrimRight(hexed[:n], " "))
		if err != nil || len(der) == 0 {
			return a, 0, "", false
		}
		a.value, a.der = valueOf(der)
		if n < len(hexed) {
			return a, hexed[n], hexed[n+1:], true
		}
		return a, 0, "", true
	}
	return parseValue(a, rest)
}

// parseValue reads the value of a (RFC 4514 §2.4).
func parseValue(a typedValue, s string) (_ typedValue, end byte, after string, ok bool) {
	var b []byte
	solid := 0 // what is left when unescaped spaces are cut off at the end
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ',', '+', ';':
			a.value = string(b[:solid])
			return a, c, s[i+1:], utf8.ValidString(a.value)
		case '"', '<', '>', 0:
			return a, 0, "", false
		case '\\':
			if i+1 >= len(s) {
				return a, 0, "", false
			}
			if strings.IndexByte(` "#+,;<=>\`, s[i+1]) >= 0 {
				b = append(b, s[i+1])
				i++
			} else {
				pair, err := hex.DecodeString(s[i+1 : min(i+3, len(s))])
				if err != nil || len(pair) != 1 {
					return a, 0, "", false
				}
				b = append(b, pair[0])
				i += 2
			}
			solid = len(b)
		default:
			if b = append(b, c); c != ' ' {
				solid = len(b)
			}
		}
	}
	a.value = string(b[:solid])
	return a, 0, "", utf8.ValidString(a.value)
}

// typeOf is the dotted object identifier of an attribute type, or empty.
func typeOf(name string) string {
	if oid := attributeTypes[strings.ToUpper(name)]; oid != "" {
		return oid
	}
	for _, arc := range strings.Split(name, ".") {
		if arc == "" || strings.Trim(arc, "0123456789") != "" || len(arc) > 1 && arc[0] == '0' {
			return ""
		}
	}
	if !strings.Contains(name, ".") {
		return ""
	}
	return name
}

// rdnSET is a relative name as certificates hold it (RFC 5280 §4.1.2.4); encoding/asn1 knows a SET by the type's name.
type rdnSET []struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// Subject returns the certificate's distinguished name.
func (c *Certificate) Subject() (Subject, error) {
	var raw []rdnSET
	if rest, err := asn1.Unmarshal(c.leaf.RawSubject, &raw); err != nil || len(rest) > 0 {
		return nil, ErrSubject
	}
	var name Subject
	for _, set := range raw {
		var relative []typedValue
		for _, a := range set {
			v, der := valueOf(a.Value.FullBytes)
			relative = append(relative, typedValue{a.Type.String(), v, der})
		}
		name = append(name, relative)
	}
	return name, nil
}

// valueOf returns the characters of a string type of ASN.1, or where it is none the DER itself.
func valueOf(der []byte) (value string, isDER bool) {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(der, &v)
	if err == nil && len(rest) == 0 && v.Class == asn1.ClassUniversal && !v.IsCompound {
		switch v.Tag {
		case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString:
			if utf8.Valid(v.Bytes) {
				return string(v.Bytes), false
			}
		case asn1.TagBMPString:
			if len(v.Bytes)%2 == 0 {
				units := make([]uint16, 0, len(v.Bytes)/2)
				for i := 0; i < len(v.Bytes); i += 2 {
					units = append(units, uint16(v.Bytes[i])<<8|uint16(v.Bytes[i+1]))
				}
				return string(utf16.Decode(units)), false
			}
		}
	}
	return string(der), true
}

// Equal tells whether both are the same name: the same attributes in the same order, those of one relative name in any,
// with values that are equal to the letter. That is stricter than RFC 4517 §4.2.15, which folds case and spaces.
func (s Subject) Equal(o Subject) bool {
	return len(s) > 0 && slices.EqualFunc(s, o, func(a, b []typedValue) bool {
		return len(a) == len(b) && !slices.ContainsFunc(a, func(x typedValue) bool { return !slices.Contains(b, x) }) &&
			!slices.ContainsFunc(b, func(x typedValue) bool { return !slices.Contains(a, x) })
	})
}

// The kinds of subject alternative names that clients are known by: their tags (RFC 5280 §4.2.1.6).
type NameKind int

// The kinds.
const (
	EmailName NameKind = 1
	DNSName   NameKind = 2
	URIName   NameKind = 6
	IPName    NameKind = 7
)

// Names tells whether the certificate has that subject alternative name: hosts in any case, addresses by their value, all
// else to the letter. A wildcard stands for itself.
func (c *Certificate) Names(kind NameKind, name string) bool {
	for _, e := range c.leaf.Extensions {
		if !e.Id.Equal(subjectAltName) {
			continue
		}
		var names []asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &names); err != nil || len(rest) > 0 {
			return false
		}
		for _, n := range names {
			if n.Class == asn1.ClassContextSpecific && n.Tag == int(kind) && named(kind, n.Bytes, name) {
				return true
			}
		}
	}
	return false
}

var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

func named(kind NameKind, has []byte, name string) bool {
	switch kind {
	case IPName:
		want, err := netip.ParseAddr(name)
		return err == nil && want.Zone() == "" && bytes.Equal(want.Unmap().AsSlice(), has)
	case DNSName:
		return name != "" && asciiEqualFold(string(has), name)
	}
	return name != "" && string(has) == name
}

func asciiEqualFold(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(a, b) && !strings.ContainsFunc(a+b, func(r rune) bool { return r >= 0x80 })
}

package console

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// idle is a property that changes nothing here.
func idle(name, ours string) property {
	return property{name: name, ours: ours, idle: true, get: func(*tenant.Settings) string { return "" }, clear: func(*tenant.Settings) {}}
}

// words is a setting that is true or false, which the property has words for.
func words(name, pointer string, values map[string]bool, at func(*tenant.Settings) *bool) property {
	return of(name, pointer, at,
		func(v string) (bool, string) {
			is, ok := values[v]
			if !ok {
				return false, "must be " + strings.Join(named(values), " or ")
			}
			return is, ""
		},
		func(is bool) string {
			for _, word := range named(values) {
				if is && values[word] {
					return word
				}
			}
			return ""
		})
}

// named are the words of values, in their order.
func named(values map[string]bool) (words []string) {
	for word := range values {
		if word != "" {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return words
}

// alike is words for one of several properties that stand for one setting of ours: where one says yes, the others must too. As
// one that says nothing cannot be told from one that says no, that is checked once all are set.
func alike(name, pointer string, values map[string]bool, at func(*tenant.Settings) *bool) property {
	p := words(name, pointer, values, at)
	p.set = func(s *tenant.Settings, v string) string {
		is, ok := values[v]
		if !ok {
			return "must be " + strings.Join(named(values), " or ")
		}
		*at(s) = *at(s) || is
		return ""
	}
	p.after = func(s *tenant.Settings, v string) string {
		if values[v] != *at(s) {
			return "must be the same as that of other requests: there is one for both"
		}
		return ""
	}
	return p
}

// longest is number for seconds that may be without end there: that is the longest time that there is here.
func longest(name, pointer string, at func(*tenant.Settings) *int64) property {
	p := number(name, pointer, false, at)
	set := p.set
	p.set = func(s *tenant.Settings, v string) string {
		if n, err := strconv.ParseInt(v, 10, 32); err == nil && n <= 0 {
			v = strconv.FormatInt(tenant.Decade, 10)
		}
		return set(s, v)
	}
	return p
}

// limit is shared for seconds of which zero or less is no limit.
func limit(name, pointer string, at func(*tenant.Settings) *int64) property {
	p := number(name, pointer, false, at)
	set := p.set
	p.set = func(s *tenant.Settings, v string) string {
		if n, err := strconv.ParseInt(v, 10, 32); err == nil && n <= 0 {
			return ""
		}
		before := *at(s)
		wrong := set(s, v)
		if wrong == "" && before != 0 && before != *at(s) {
			return "must be the same as the other limit of request objects: there is one for both"
		}
		return wrong
	}
	return p
}

// matching is a property that says what others say already.
func matching(name string, is func(*tenant.Settings) bool, wrong string) property {
	p := property{name: name, get: func(*tenant.Settings) string { return "" }, clear: func(*tenant.Settings) {}}
	p.set = func(_ *tenant.Settings, v string) string {
		if v != "true" && v != "false" {
			return "must be true or false"
		}
		return ""
	}
	p.after = func(s *tenant.Settings, v string) string {
		if (v == "true") != is(s) {
			return wrong
		}
		return ""
	}
	return p
}

// signedOnly reports whether authorization responses are JWTs in any case.
func signedOnly(s *tenant.Settings) bool {
	modes := s.Authorization.ResponseModes
	return len(modes) > 0 && !slices.ContainsFunc(modes, func(m string) bool { return !strings.HasSuffix(m, "jwt") })
}

// responseTypes are several, separated by commas, each of words.
func responseTypes(name, pointer string, at func(*tenant.Settings) *[]string) property {
	return of(name, pointer, at,
		func(v string) (others []string, wrong string) {
			code := false
			for part := range strings.SplitSeq(v, ",") {
				switch typ := oauth.ResponseType(part); {
				case typ == "" && strings.TrimSpace(part) != "":
					return nil, "must have no value of a response type twice"
				case typ == oauth.ResponseCode:
					code = true
				case typ != "":
					others = append(others, typ)
				}
			}
			if !code {
				return nil, "must have code among them"
			}
			return others, ""
		},
		func(vs []string) string {
			if len(vs) == 0 {
				return ""
			}
			return strings.Join(append([]string{oauth.ResponseCode}, vs...), ", ")
		})
}

// detailsTypes are types of authorization details.
func detailsTypes(name, pointer string) property {
	return of(name, pointer, func(s *tenant.Settings) *[]tenant.DetailsType { return &s.Authorization.DetailsTypes },
		func(v string) (types []tenant.DetailsType, _ string) {
			for _, t := range separated(v) {
				types = append(types, tenant.DetailsType{Type: t})
			}
			return types, ""
		},
		func(types []tenant.DetailsType) string {
			var names []string
			for _, t := range types {
				names = append(names, t.Type)
			}
			return strings.Join(names, ",")
		})
}

// query is a condition on clients, as JSON.
func query(name, pointer string, at func(*tenant.Settings) *json.RawMessage) property {
	return of(name, pointer, at,
		func(v string) (json.RawMessage, string) {
			if !json.Valid([]byte(v)) {
				return nil, "must be JSON"
			}
			return json.RawMessage(v), ""
		},
		func(v json.RawMessage) string { return string(v) })
}

// overlaidAbroad are the members of an overlay that have properties of their own.
var overlaidAbroad = []string{"end_session_endpoint", "check_session_iframe"}

// overlay are the members that a tenant adds to its metadata, but those that have properties of their own.
func overlay(name string) property {
	return property{name: name, pointer: "/metadata_overlay",
		set: func(s *tenant.Settings, v string) string {
			var members tenant.Overlay
			if err := json.Unmarshal([]byte(v), &members); err != nil {
				return "must be a JSON object"
			}
			for member, raw := range members {
				overlaid(s, member, raw)
			}
			return ""
		},
		get: func(s *tenant.Settings) string {
			rest := maps.Clone(s.MetadataOverlay)
			for _, member := range overlaidAbroad {
				delete(rest, member)
			}
			if len(rest) == 0 {
				return ""
			}
			text, _ := json.Marshal(rest) // it was JSON when it came
			return string(text)
		},
		clear: func(s *tenant.Settings) { s.MetadataOverlay = nil },
	}
}

// abroad is a URL of the tenant's own login UI, which its metadata name as member.
func abroad(name, member string) property {
	return property{name: name, pointer: "/metadata_overlay/" + member,
		set: func(s *tenant.Settings, v string) string {
			raw, _ := json.Marshal(v) // a text always can be
			overlaid(s, member, raw)
			return ""
		},
		get: func(s *tenant.Settings) string {
			var v string
			_ = json.Unmarshal(s.MetadataOverlay[member], &v)
			return v
		},
		clear: func(s *tenant.Settings) { s.MetadataOverlay = nil },
	}
}

// overlaid adds a member to a copy of what s has: s may be shared.
func overlaid(s *tenant.Settings, member string, raw json.RawMessage) {
	if s.MetadataOverlay = maps.Clone(s.MetadataOverlay); s.MetadataOverlay == nil {
		s.MetadataOverlay = tenant.Overlay{}
	}
	s.MetadataOverlay[member] = raw
}

// propertyNamed returns what we know of a property of that name, or nil.
func propertyNamed(name string) *property {
	var best *property
	for i := range properties {
		p := &properties[i]
		if p.name == name {
			return p
		}
		if prefix, ok := strings.CutSuffix(p.name, "*"); ok && strings.HasPrefix(name, prefix) && (best == nil || len(p.name) > len(best.name)) {
			best = p
		}
	}
	return best
}

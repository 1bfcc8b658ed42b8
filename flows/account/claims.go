package account

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// derived are the claims that an account has without anybody setting them.
var derived = map[string]func(*Account) (json.RawMessage, error){
	"preferred_username": func(a *Account) (json.RawMessage, error) { return json.Marshal(a.Username) },
	"updated_at": func(a *Account) (json.RawMessage, error) {
		return strconv.AppendInt(nil, a.UpdatedAt.Unix(), 10), nil
	},
}

// Claims returns those of the named claims that the subject's account holds (OIDC Core §5.1). A name that carries a
// language tag stands for that member alone; one without stands for the untagged member and, for each of locales,
// the member whose tag suits it best (§5.2; RFC 4647 §3.4). A subject without an account, or with a disabled one, has
// none. A store that fails is temporarily_unavailable.
func (s *Service) Claims(ctx context.Context, t *tenant.Tenant, sub string, names, locales []string) (map[string]json.RawMessage, error) {
	if len(names) == 0 || !possible(sub) {
		return nil, nil
	}
	a, err := s.Store.Account(ctx, t.ID, sub)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, oauth.Unavailable().Because(err)
	}
	if a.Disabled {
		return nil, nil
	}
	return a.claims(names, locales)
}

func (a *Account) claims(names, locales []string) (map[string]json.RawMessage, error) {
	byTag := a.byTag()
	found := map[string]json.RawMessage{}
	for _, name := range names {
		base, tag, tagged := strings.Cut(name, "#")
		if tagged {
			if member, ok := byTag[base][strings.ToLower(tag)]; ok {
				found[member] = a.Claims[member]
			}
			continue
		}
		if v, ok := a.Claims[name]; ok {
			found[name] = v
		} else if derive := derived[name]; derive != nil {
			v, err := derive(a)
			if err != nil {
				return nil, err
			}
			found[name] = v
		}
		for _, locale := range locales {
			if member, ok := lookup(byTag[name], locale); ok {
				found[member] = a.Claims[member]
			}
		}
	}
	return found, nil
}

// byTag lists the tagged members by claim name and tag in lower case (tags are compared without case, RFC 5646 §2.1.1).
func (a *Account) byTag() map[string]map[string]string {
	m := map[string]map[string]string{}
	for member := range a.Claims {
		if base, tag, tagged := strings.Cut(member, "#"); tagged {
			if m[base] == nil {
				m[base] = map[string]string{}
			}
			m[base][strings.ToLower(tag)] = member
		}
	}
	return m
}

// lookup finds the member for a language range: as it is, then with ever fewer subtags (RFC 4647 §3.4).
func lookup(tags map[string]string, locale string) (member string, ok bool) {
	for r := strings.ToLower(locale); r != ""; {
		if member, ok = tags[r]; ok {
			return member, true
		}
		r = r[:max(0, strings.LastIndexByte(r, '-'))]
	}
	return "", false
}

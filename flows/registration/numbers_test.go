package registration

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// counted is a memory whose clients are found by number, which begin with a million and one.
type counted struct{ *memory }

func (m counted) CreateNumbered(ctx context.Context, t tenant.ID, c tenant.Client, most int, ev audit.Event) (tenant.Client, error) {
	c.ID = strconv.Itoa(1_000_001 + len(m.clients))
	return m.CreateClient(ctx, t, c, most, ev)
}

func (m counted) NumberedClient(_ context.Context, _ tenant.ID, number int64) (string, error) {
	if m.broken != nil {
		return "", m.broken
	}
	for _, c := range m.clients {
		if 1_000_000+c.Number == number {
			return c.ID, nil
		}
	}
	return "", ErrNotFound
}

func (m counted) NumberedClients(_ context.Context, _ tenant.ID, _ string, start, n int) ([]tenant.Client, int, error) {
	var cs []tenant.Client
	for _, c := range m.clients {
		cs = append(cs, c)
	}
	slices.SortFunc(cs, func(a, b tenant.Client) int { return int(a.Number - b.Number) })
	return cs[min(start, len(cs)):min(start+n, len(cs))], len(cs), m.broken
}

func TestNumbers(t *testing.T) {
	s, acme, m := house(t)
	s.Numbers = counted{m}
	named, err := s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://a.example/cb"],"preferred_client_id":"shop"}`, administrator))
	if err != nil {
		t.Fatal(err)
	}
	r := request(t, simple, administrator)
	r.Numbered = true
	numbered, err := s.Register(t.Context(), acme, r)
	if err != nil || numbered.Client.ID != "1000002" || numbered.Secret == "" {
		t.Fatalf("%+v %v", numbered.Client, err)
	}
	for _, tt := range []struct{ rule, name, want string }{
		{"a number stands for the client of that number", "1000001", named.Client.ID},
		{"also where it is its id", "1000002", "1000002"},
		{"a number of nobody stands for itself", "1000003", "1000003"},
		{"an id stands for itself", "shop", "shop"},
		{"so does what is written like no number of ours", "01000001", "01000001"},
	} {
		if got, err := s.Numbered(t.Context(), acme, tt.name); err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v", tt.rule, got, err)
		}
	}
	if cs, total, err := s.ListNumbered(t.Context(), acme, "", 1, 5, administrator); err != nil || total != 2 || len(cs) != 1 || cs[0].ID != "1000002" {
		t.Errorf("listed %v of %d, %v", cs, total, err)
	}
	if _, _, err := s.ListNumbered(t.Context(), acme, "", 0, 5, Open("")); err == nil {
		t.Error("anybody may list")
	}
	_, err = s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://a.example/cb"],"preferred_client_id":"1000009"}`, administrator))
	if !errors.Is(err, oauth.InvalidClientMetadata("")) {
		t.Errorf("an id that looks like a number: %v", err)
	}
	m.broken = errors.New("away")
	if _, err := s.Numbered(t.Context(), acme, "1000009"); !errors.Is(err, oauth.Unavailable()) {
		t.Errorf("a store that is away: %v", err)
	}
}

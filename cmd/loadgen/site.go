package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
)

// site is the server under load, with the tenants that the load is spread over.
type site struct {
	client  *http.Client
	url     string
	tenants []*tenant
}

// tenant is what bootstrap.json, and the answer to a new tenant, say of one.
type tenant struct {
	ID       string `json:"tenant_id"`
	Issuer   string `json:"issuer"`
	APIToken string `json:"api_token"`
	Client   struct {
		ID           string   `json:"client_id"`
		Secret       string   `json:"client_secret"`
		RedirectURIs []string `json:"redirect_uris"`
	} `json:"client"`
	User struct {
		Subject string `json:"sub"`
	} `json:"user"`
}

// caller is one of those that call at the same time. It has nothing that another uses.
type caller struct {
	*site
	turn    int     // which tenant is next
	subject string  // who signs in: of one subject only a few sessions live at once
	asked   *tenant // of what is held
	held    string  // a token that the operation keeps from one round to the next
}

// caller returns the caller of that number; callers begin at different tenants.
func (s *site) caller(number int) *caller {
	return &caller{site: s, turn: number, subject: fmt.Sprintf("subject-%d", number)}
}

// tenant is the tenant of the next round.
func (c *caller) tenant() *tenant {
	c.turn++
	return c.tenants[c.turn%len(c.tenants)]
}

// prefix is that of the tenants that are created for a load.
const prefix = "load-"

// openSite reads bootstrap.json and makes sure that there are n tenants: the first is the first demo tenant, the others
// are created by several calls at once. at replaces the public URL, where it is not empty.
func openSite(ctx context.Context, client *http.Client, bootstrap, at string, n int) (*site, error) {
	b, err := os.ReadFile(bootstrap)
	if err != nil {
		return nil, err
	}
	var facts struct {
		PublicURL  string    `json:"public_url"`
		AdminToken string    `json:"admin_token"`
		Tenants    []*tenant `json:"tenants"`
	}
	if err := json.Unmarshal(b, &facts); err != nil {
		return nil, fmt.Errorf("%s: %w", bootstrap, err)
	}
	if len(facts.Tenants) == 0 {
		return nil, fmt.Errorf("%s names no tenant", bootstrap)
	}
	if at == "" {
		at = facts.PublicURL
	}
	s := &site{client: client, url: strings.TrimSuffix(at, "/"), tenants: make([]*tenant, n)}
	s.tenants[0] = facts.Tenants[0]

	// A tenant's token is shown once, so that each run makes tenants of its own.
	run := fmt.Sprintf("%s%x-", prefix, os.Getpid())
	var wg sync.WaitGroup
	var once sync.Once
	var failed error
	places := make(chan int)
	for range 8 {
		wg.Go(func() {
			for i := range places {
				t, err := s.create(ctx, facts.AdminToken, fmt.Sprintf("%s%d", run, i))
				if err != nil {
					once.Do(func() { failed = err })
				}
				s.tenants[i] = t
			}
		})
	}
	for i := 1; i < n && ctx.Err() == nil; i++ {
		places <- i
	}
	close(places)
	wg.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return s, failed
}

// create creates a starter tenant.
func (s *site) create(ctx context.Context, token, id string) (*tenant, error) {
	body, err := json.Marshal(map[string]string{"tenant_id": id, "template": "starter"})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/admin/v1/tenants", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	t := new(tenant)
	return t, s.call(r, http.StatusCreated, t)
}

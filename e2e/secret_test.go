package e2e

import (
	"strings"
	"sync"
)

// secrets are all values that a test knows and no log may hold: tokens, codes, client secrets, passwords.
var secrets struct {
	sync.Mutex
	known map[string]bool
}

// secret marks values as secret. Short ones could be part of anything and are left out.
func secret(values ...string) {
	secrets.Lock()
	defer secrets.Unlock()
	if secrets.known == nil {
		secrets.known = map[string]bool{}
	}
	for _, v := range values {
		if len(v) >= 12 {
			secrets.known[v] = true
		}
	}
}

// secretsIn returns the secrets that text holds.
func secretsIn(text string) (found []string) {
	secrets.Lock()
	defer secrets.Unlock()
	for v := range secrets.known {
		if strings.Contains(text, v) {
			found = append(found, v)
		}
	}
	return found
}

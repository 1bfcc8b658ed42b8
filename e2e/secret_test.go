package e2e

import (
	"encoding/hex"
	"strings"
	"sync"
)

// least is how long a secret is at least: shorter values could be part of anything.
const least = 12

// secrets are all values that a test knows and no log may hold: tokens, codes, client secrets, passwords. There are thousands
// of them, and megabytes to be searched while sites that look at what they get wait: a text is gone through once.
var secrets struct {
	sync.RWMutex
	known map[string]bool
	ends  map[[least]byte][]guise // what a text may show of them, by its end: many begin alike
	some  [1 << 16]bool           // the first two bytes of each end
}

// guise is how a text may show a secret.
type guise struct{ text, of string }

// secret marks values as secret. Short ones could be part of anything and are left out.
func secret(values ...string) {
	secrets.Lock()
	defer secrets.Unlock()
	if secrets.known == nil {
		secrets.known, secrets.ends = map[string]bool{}, map[[least]byte][]guise{}
	}
	for _, v := range values {
		if len(v) < least || secrets.known[v] {
			continue
		}
		secrets.known[v] = true
		for _, text := range []string{v, hex.EncodeToString([]byte(v))} {
			end := [least]byte([]byte(text[len(text)-least:]))
			secrets.ends[end] = append(secrets.ends[end], guise{text, v})
			secrets.some[uint16(end[0])<<8|uint16(end[1])] = true
		}
	}
}

// secretsIn returns the secrets that text holds, as they are or in hexadecimal.
func secretsIn(text string) (found []string) {
	for v := range whereIn(text) {
		found = append(found, v)
	}
	return found
}

// whereIn returns where text first holds each secret that it holds.
func whereIn(text string) map[string]int {
	found := map[string]int{}
	secrets.RLock()
	defer secrets.RUnlock()
	for i := least; i <= len(text); i++ {
		if at := i - least; !secrets.some[uint16(text[at])<<8|uint16(text[at+1])] {
			continue
		}
		for _, s := range secrets.ends[[least]byte([]byte(text[i-least:i]))] {
			if _, again := found[s.of]; !again && strings.HasSuffix(text[:i], s.text) {
				found[s.of] = i - len(s.text)
			}
		}
	}
	return found
}

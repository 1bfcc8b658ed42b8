package transcript

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// Compare compares JSON texts; the order of members is free.
func (p *Player) Compare(t *testing.T, s *Step, got, want string) {
	t.Helper()
	g, err := decode(got)
	if err != nil {
		t.Fatalf("line %d: got %s: %v", s.Line, got, err)
	}
	w, err := decode(want)
	if err != nil {
		t.Fatalf("line %d: want %s: %v", s.Line, want, err)
	}
	for _, d := range p.diff("", g, w) {
		t.Errorf("line %d: %s", s.Line, d)
	}
	if t.Failed() {
		t.Logf("line %d: got %s", s.Line, got)
	}
}

func decode(s string) (v any, err error) {
	d := json.NewDecoder(bytes.NewBufferString(s))
	d.UseNumber()
	if err = d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more")
	}
	return v, nil
}

func (p *Player) diff(at string, got, want any) []string {
	switch want := want.(type) {
	case map[string]any:
		if text, ok := got.(string); ok && p.Nested {
			if v, err := decode(text); err == nil {
				got = v
			}
		}
		if g, ok := got.(map[string]any); ok {
			return p.members(at, g, want)
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			break
		}
		var ds []string
		for i := range want {
			ds = append(ds, p.diff(fmt.Sprintf("%s[%d]", at, i), g[i], want[i])...)
		}
		return ds
	case string:
		if g, ok := got.(string); ok && p.match(g, want) {
			return nil
		}
		if n, ok := got.(json.Number); ok && strings.HasPrefix(want, "#") && p.match(n.String(), want[1:]) {
			return nil // a number that is not known beforehand
		}
	default:
		if got == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: got %v, want %v", at, got, want)}
}

func (p *Player) members(at string, got, want map[string]any) (ds []string) {
	_, open := want[p.More]
	known := map[string]bool{}
	for pattern, w := range want {
		name := p.Fill(pattern)
		if known[name] = true; pattern == p.More {
			continue
		}
		if v, ok := got[name]; ok {
			ds = append(ds, p.diff(at+"."+name, v, w)...)
		} else {
			ds = append(ds, at+"."+name+" is missing")
		}
	}
	for name, v := range got {
		if !known[name] && !open {
			ds = append(ds, fmt.Sprintf("%s.%s is there: %v", at, name, v))
		}
	}
	slices.Sort(ds)
	return ds
}

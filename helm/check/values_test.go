package check

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// leaves are the paths of values that hold no further names: texts, numbers, lists, and maps that are empty by default or
// named by the user.
func leaves(values map[string]any, path string) []string {
	var all []string
	for k, v := range values {
		at := strings.TrimPrefix(path+"."+k, ".")
		if m, ok := v.(map[string]any); ok && len(m) > 0 && !whole[at] {
			all = append(all, leaves(m, at)...)
			continue
		}
		all = append(all, at)
	}
	slices.Sort(all)
	return all
}

// whole are maps that the documents speak of as one.
var whole = map[string]bool{"resources": true, "migrations.resources": true, "readinessProbe": true, "livenessProbe": true, "podSecurityContext": true, "grafanaDashboard.labels": true}

// schema is what matters of a JSON schema.
type schema struct {
	Additional *any              `json:"additionalProperties"`
	Properties map[string]schema `json:"properties"`
}

// strict finds objects with names of ours that take others as well.
func (s schema) strict(path string) []string {
	var open []string
	if len(s.Properties) > 0 && (s.Additional == nil || *s.Additional != any(false)) && !strings.Contains(path, "[]") {
		open = append(open, path)
	}
	for k, p := range s.Properties {
		open = append(open, p.strict(path+"."+k)...)
	}
	return open
}

// names are the leaves that a schema speaks of.
func (s schema) names(path string) []string {
	var all []string
	for k, p := range s.Properties {
		at := strings.TrimPrefix(path+"."+k, ".")
		switch {
		case at == "global":
		case len(p.Properties) > 0 && !whole[at]:
			all = append(all, p.names(at)...)
		default:
			all = append(all, at)
		}
	}
	slices.Sort(all)
	return all
}

// values.yaml, its schema and the table in the README speak of the same values, the table with their defaults.
func TestValuesAreDocumented(t *testing.T) {
	var values map[string]any
	if err := yaml.UnmarshalStrict([]byte(read(t, chart+"/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	want := leaves(values, "")
	var s schema
	if err := json.Unmarshal([]byte(read(t, chart+"/values.schema.json")), &s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, s.names("")); diff != "" {
		t.Errorf("values and schema:\n%s", diff)
	}
	if open := s.strict(""); len(open) > 0 {
		t.Errorf("anything is taken at %v", open)
	}
	table := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (?:`([^`]*)`|([^|]*)) \\| .+ \\|$").FindAllStringSubmatch(read(t, chart+"/README.md"), -1) {
		table[m[1]] = m[2]
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(table))); diff != "" {
		t.Errorf("values and README:\n%s", diff)
	}
	for path, text := range table {
		var v any = values
		for _, k := range strings.Split(path, ".") {
			v = v.(map[string]any)[k]
		}
		var said any
		if err := yaml.Unmarshal([]byte(text), &said); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if said == nil {
			said = ""
		}
		if diff := cmp.Diff(v, said); diff != "" {
			t.Errorf("%s has another default than the README says:\n%s", path, diff)
		}
	}
}

package check

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// dashboard is what matters of Grafana's document.
type dashboard struct {
	UID        string `json:"uid"`
	Title      string `json:"title"`
	Templating struct {
		List []struct {
			Name  string `json:"name"`
			Query any    `json:"query"`
		} `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct {
		H, W, X, Y int
	} `json:"gridPos"`
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

// board is the dashboard as the chart delivers it.
func board(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(rendered(t, valuesFiles(t)["full"]).dashboard.Data["chancery.json"]), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// filled is an expression with Grafana's variables filled in.
func filled(expr string) string {
	return strings.NewReplacer("$__rate_interval", "2m", "$__range", "3h", "$namespace", namespace, "$job", "identity-ops", "$tenant", ".*").Replace(expr)
}

var variable = regexp.MustCompile(`\$\{?([a-z]\w*)`)

// On a quiet day, with a few that fail and meet their limits, every panel shows something.
func TestDashboard(t *testing.T) {
	d := board(t)
	m := fleet{requests: []stream{{"acme", "token", "failed", "503", .1, always(.1)}, {"acme", "token", "refused", "429", .1, always(.1)}}, process: map[string]func(int, time.Duration) float64{
		"go_memstats_heap_inuse_bytes": always(30 << 20), "process_network_receive_bytes_total": always(1), "process_network_transmit_bytes_total": always(1),
	}}.metrics(true)
	pause := labels.FromStrings("__name__", "go_gc_duration_seconds", "namespace", namespace, "job", "identity-ops", "quantile", "1.0")
	m = append(m, series{pause, func(time.Duration) float64 { return .001 }})
	variables := map[string]bool{}
	for _, v := range d.Templating.List {
		variables[v.Name] = true
	}
	ids, asked := map[int]bool{}, 0
	for i, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s: its id is taken", p.Title)
		}
		ids[p.ID] = true
		if g := p.GridPos; g.W < 1 || g.H < 1 || g.X+g.W > 24 {
			t.Errorf("%s: lies at %+v", p.Title, g)
		}
		for _, other := range d.Panels[:i] {
			if a, b := p.GridPos, other.GridPos; a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%s covers %s", p.Title, other.Title)
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s: asks nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, v := range variable.FindAllStringSubmatch(strings.ReplaceAll(target.Expr, "$__", ""), -1) {
				if !variables[v[1]] {
					t.Errorf("%s: there is no variable %s", p.Title, v[1])
				}
			}
			if len(m.query(t, filled(target.Expr))) == 0 {
				t.Errorf("%s: shows nothing: %s", p.Title, target.Expr)
			}
			asked++
		}
	}
	if asked < 20 {
		t.Errorf("only %d expressions were asked", asked)
	}
}

// names are the metrics that an expression asks for.
func names(t *testing.T, expr string) []string {
	t.Helper()
	e, err := language.ParseExpr(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	var all []string
	for _, s := range parser.ExtractSelectors(e) {
		for _, m := range s {
			if m.Name == "__name__" {
				all = append(all, m.Value)
			}
		}
	}
	return all
}

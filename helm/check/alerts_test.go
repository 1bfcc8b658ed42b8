package check

import (
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	text "text/template"
	"time"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

const runbook = "../../docs/runbook.md"

// language parses PromQL.
var language = parser.NewParser(parser.Options{})

// alerts are the chart's, as Prometheus gets them.
func alerts(t *testing.T) []monitoring.Rule {
	t.Helper()
	o := rendered(t, valuesFiles(t)["full"])
	var all []monitoring.Rule
	for _, g := range o.alerts.Spec.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there are no alerts")
	}
	return all
}

// Each alert parses, asks this release alone, says how bad it is, and leads to its section of the runbook; each section of
// the runbook has its alert.
func TestAlertsAndRunbook(t *testing.T) {
	b, err := os.ReadFile(runbook)
	if err != nil {
		t.Fatal(err)
	}
	_, book, _ := strings.Cut(string(b), "\n# Alerts\n")
	sections := map[string]string{}
	for _, s := range strings.Split(book, "\n## ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		sections[name] = body
	}
	for _, a := range alerts(t) {
		expr, err := language.ParseExpr(a.Expr.String())
		if err != nil {
			t.Errorf("%s: %v", a.Alert, err)
			continue
		}
		for _, s := range parser.ExtractSelectors(expr) {
			own := map[string]string{}
			for _, m := range s {
				own[m.Name] = m.Value
			}
			if own["namespace"] != namespace || own["job"] != "identity-ops" {
				t.Errorf("%s: asks about %v, which others have as well", a.Alert, s)
			}
		}
		if s := a.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", a.Alert, s)
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s: does not say what is wrong", a.Alert)
		}
		if at := "docs/runbook.md#" + strings.ToLower(a.Alert); !strings.HasSuffix(a.Annotations["runbook_url"], at) {
			t.Errorf("%s: leads to %s", a.Alert, a.Annotations["runbook_url"])
		}
		section, ok := sections[a.Alert]
		if !ok {
			t.Errorf("%s: is not in the runbook", a.Alert)
		}
		for _, part := range []string{"**Meaning.** ", "**Look.** ", "**Do.** "} {
			if ok && strings.Count(section, part) != 1 {
				t.Errorf("%s: the runbook lacks %s", a.Alert, part)
			}
		}
		delete(sections, a.Alert)
	}
	for name := range sections {
		t.Errorf("%s: is in the runbook, but nothing raises it", name)
	}
	anchors := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(b), -1) {
		anchors[strings.ReplaceAll(strings.ToLower(m[1]), " ", "-")] = true
	}
	for _, m := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(string(b), -1) {
		if !anchors[m[1]] {
			t.Errorf("the runbook leads to #%s, which is not there", m[1])
		}
	}
}

// fleet is how three replicas do. Its zero value is a quiet day.
type fleet struct {
	up       func(replica int, t time.Duration) float64
	requests []stream                    // beside the usual ones
	usual    func(time.Duration) float64 // how much of the usual there is; nil: all
	process  map[string]func(replica int, t time.Duration) float64
	kept     func(t time.Duration) float64 // seconds since the house was kept; nil: a minute
	outbox   map[string]float64            // attempts by outcome, per second and replica; nil: some are delivered
}

// stream is requests of one kind, per second and replica.
type stream struct {
	tenant, flow, outcome, status string
	seconds                       float64 // that each takes
	rate                          func(replica int, t time.Duration) float64
}

func always(rate float64) func(int, time.Duration) float64 {
	return func(int, time.Duration) float64 { return rate }
}

// lately is a rate for the last d only.
func lately(d time.Duration, rate float64) func(int, time.Duration) float64 {
	return func(_ int, t time.Duration) float64 {
		if t < history-d {
			return 0
		}
		return rate
	}
}

// onlyAt is a rate of one replica, lately.
func onlyAt(replica int, rate float64) func(int, time.Duration) float64 {
	return func(r int, t time.Duration) float64 {
		if r != replica {
			return 0
		}
		return lately(30*time.Minute, rate)(r, t)
	}
}

// usual is what comes on a quiet day.
var usual = []stream{
	{"acme", "token", "ok", "200", 0.004, always(10)}, {"acme", "token", "refused", "400", 0.002, always(.5)}, {"globex", "authorize", "ok", "302", 0.02, always(2)},
	{"globex", "login", "ok", "303", 0.06, always(1)}, {"", "", "refused", "404", 0.001, always(.1)}, {"acme", "jwks", "ok", "200", 0.0005, always(5)},
	{"acme", "token", "failed", "503", 2, func(_ int, t time.Duration) float64 { // a hiccup, hours ago
		if t > time.Hour && t < time.Hour+15*time.Second {
			return 1
		}
		return 0
	}},
}

// quiet is what processes look like.
var quiet = map[string]func(int, time.Duration) float64{
	"process_start_time_seconds":     always(1_799_000_000),
	"process_resident_memory_bytes":  always(120 << 20),
	"go_gc_gomemlimit_bytes":         always(460 << 20),
	"go_sched_gomaxprocs_threads":    always(2),
	"process_cpu_seconds_total":      func(_ int, t time.Duration) float64 { return .4 * t.Seconds() },
	"process_open_fds":               always(80),
	"process_max_fds":                always(1 << 20),
	"go_goroutines":                  always(120),
	"chancery_outbox_waiting":        always(3),
	"chancery_outbox_oldest_seconds": always(40),
}

var buckets = []struct {
	le    string
	bound float64
}{{"0.001", .001}, {"0.01", .01}, {"0.1", .1}, {"0.5", .5}, {"1", 1}, {"2.5", 2.5}, {"5", 5}, {"10", 10}, {"+Inf", math.Inf(1)}}

// metrics are what Prometheus would have of the fleet. newer is how Prometheus 3 writes le.
func (f fleet) metrics(newer bool) metrics {
	var all metrics
	up := f.up
	if up == nil {
		up = always(1)
	}
	for replica := range 3 {
		of := func(name string, more ...string) labels.Labels {
			return labels.FromStrings(append([]string{"__name__", name, "namespace", namespace, "job", "identity-ops", "instance", fmt.Sprintf("10.0.0.%d:8081", replica)}, more...)...)
		}
		alive := func(v func(int, time.Duration) float64) func(time.Duration) float64 {
			return func(t time.Duration) float64 {
				if up(replica, t) != 1 {
					return math.NaN()
				}
				return v(replica, t)
			}
		}
		all = append(all, series{of("up"), func(t time.Duration) float64 { return up(replica, t) }})
		process := maps.Clone(quiet)
		maps.Copy(process, f.process)
		for name, value := range process {
			all = append(all, series{of(name), alive(value)})
		}
		kept := f.kept
		if kept == nil {
			kept = func(time.Duration) float64 { return 60 }
		}
		for _, work := range []string{"sweep", "rotate"} {
			all = append(all, series{of("chancery_house_done_seconds", "work", work), alive(func(_ int, t time.Duration) float64 {
				return float64(now.Add(t-history).Unix()) - kept(t)
			})})
		}
		outcomes := f.outbox
		if outcomes == nil {
			outcomes = map[string]float64{"delivered": 1, "failed": .1}
		}
		for _, outcome := range []string{"delivered", "failed", "dead", "moot"} {
			all = append(all, series{of("chancery_outbox_outcomes_total", "outcome", outcome), alive(counted(replica, lately(2*time.Hour, outcomes[outcome])))})
		}
		requests := map[string]*series{}
		for _, s := range slices.Concat(usual, f.requests) {
			if f.usual != nil {
				rate := s.rate
				s.rate = func(r int, t time.Duration) float64 { return rate(r, t) * f.usual(t) }
			}
			count := counted(replica, s.rate)
			kind := []string{"flow", s.flow, "outcome", s.outcome, "status", s.status}
			join(requests, of("chancery_request_duration_seconds_count", kind...), alive(count))
			join(requests, of("chancery_tenant_requests_total", "tenant", s.tenant, "outcome", s.outcome, "status", s.status), alive(count))
			for _, b := range buckets {
				value := count
				if b.bound < s.seconds {
					value = always(0)
				}
				le := b.le
				if newer && !strings.ContainsAny(le, ".I") {
					le += ".0"
				}
				join(requests, of("chancery_request_duration_seconds_bucket", append(slices.Clone(kind), "le", le)...), alive(value))
			}
		}
		for _, s := range requests {
			all = append(all, *s)
		}
	}
	return all
}

// join adds a value to the series of these labels.
func join(all map[string]*series, of labels.Labels, value func(time.Duration) float64) {
	sum := value
	if s, ok := all[of.String()]; ok {
		sum = func(t time.Duration) float64 { return s.value(t) + value(t) }
	}
	all[of.String()] = &series{of, sum}
}

// counted is the sum of a rate up to each scrape.
func counted(replica int, rate func(int, time.Duration) float64) func(int, time.Duration) float64 {
	sums := make([]float64, history/scrape+1)
	for i := 1; i < len(sums); i++ {
		sums[i] = sums[i-1] + rate(replica, time.Duration(i)*scrape)*scrape.Seconds()
	}
	return func(_ int, t time.Duration) float64 { return sums[t/scrape] }
}

// nights are what happens to the fleet, with the alerts that have to be raised; no others are.
var nights = []struct {
	sentence string
	fleet
	raises []string
}{
	{"a quiet day", fleet{}, nil},
	{"nothing answers", fleet{up: func(_ int, t time.Duration) float64 { return step(t, 10*time.Minute, 1, 0) }}, []string{"ChanceryDown", "ChanceryReplicaDown"}},
	{"one replica does not answer", fleet{up: func(r int, t time.Duration) float64 {
		if r == 1 {
			return step(t, 10*time.Minute, 1, 0)
		}
		return 1
	}}, []string{"ChanceryReplicaDown"}},
	{"the database is away", fleet{requests: []stream{{"acme", "token", "failed", "503", 2, lately(10*time.Minute, 8)}, {"globex", "login", "failed", "503", 2, lately(10*time.Minute, 1)}}},
		[]string{"ChanceryUnavailable", "ChanceryErrorBudgetBurnsFast", "ChanceryErrorBudgetBurns", "ChanceryTenantFailing", "ChancerySlow"}},
	{"a release fails in one flow", fleet{requests: []stream{{"acme", "introspect", "failed", "500", .01, lately(2*time.Hour, .5)}}},
		[]string{"ChanceryErrorBudgetBurnsFast", "ChanceryErrorBudgetBurns", "ChanceryInternalErrors"}},
	{"a little fails for hours", fleet{requests: []stream{{"acme", "token", "failed", "500", .01, lately(6*time.Hour, .15)}}},
		[]string{"ChanceryErrorBudgetBurns", "ChanceryInternalErrors"}},
	{"a dialect answers 200 with an error of ours inside", fleet{requests: []stream{{"acme", "backchannel", "failed", "200", .01, lately(20*time.Minute, .01)}}}, []string{"ChanceryInternalErrors"}},
	{"one replica fails", fleet{requests: []stream{{"acme", "token", "failed", "503", .01, onlyAt(2, 6)}}},
		[]string{"ChanceryReplicaFailing", "ChanceryUnavailable", "ChanceryErrorBudgetBurnsFast", "ChanceryErrorBudgetBurns", "ChanceryTenantFailing"}},
	{"one small tenant fails", fleet{requests: []stream{{"initech", "token", "failed", "503", .01, lately(time.Hour, .02)}, {"initech", "token", "ok", "200", .01, always(.05)}}}, []string{"ChanceryTenantFailing"}},
	{"requests are slow", fleet{requests: []stream{{"acme", "token", "ok", "200", 2, always(1)}}}, []string{"ChancerySlow"}},
	{"requests come near their deadline", fleet{requests: []stream{{"acme", "token", "ok", "200", 8, always(1)}}}, []string{"ChancerySlow", "ChancerySaturated"}},
	{"a client fetches a token for every call", fleet{requests: []stream{{"acme", "token", "refused", "429", .001, always(2)}}}, []string{"ChanceryRateLimited"}},
	{"somebody guesses passwords", fleet{requests: []stream{{"globex", "login", "refused", "401", .05, lately(time.Hour, 6)}}}, []string{"ChanceryRefusing"}},
	{"the way in is broken", fleet{usual: func(t time.Duration) float64 { return step(t, 15*time.Minute, 1, 0) }}, []string{"ChanceryNoTraffic"}},
	{"a replica restarts again and again", fleet{process: map[string]func(int, time.Duration) float64{"process_start_time_seconds": func(r int, t time.Duration) float64 {
		if r == 0 {
			return 1_799_000_000 + math.Floor(t.Minutes()/7)*420
		}
		return 1_799_000_000
	}}}, []string{"ChanceryRestarting"}},
	{"memory is nearly used up", fleet{process: map[string]func(int, time.Duration) float64{"process_resident_memory_bytes": always(490 << 20)}}, []string{"ChanceryMemory"}},
	{"processors are used up", fleet{process: map[string]func(int, time.Duration) float64{"process_cpu_seconds_total": func(_ int, t time.Duration) float64 { return 1.95 * t.Seconds() }}}, []string{"ChanceryCPU"}},
	{"connections leak", fleet{process: map[string]func(int, time.Duration) float64{"process_open_fds": always(1 << 20)}}, []string{"ChanceryFileDescriptors"}},
	{"the house is not kept", fleet{kept: func(t time.Duration) float64 { return (t - history + time.Hour).Seconds() }}, []string{"ChanceryHouseNotKept"}},
	{"nobody delivers", fleet{outbox: map[string]float64{}}, []string{"ChanceryOutboxStuck"}},
	{"a quiet night without messages", fleet{outbox: map[string]float64{}, process: map[string]func(int, time.Duration) float64{"chancery_outbox_waiting": always(0)}}, nil},
	{"one tenant's target is down", fleet{process: map[string]func(int, time.Duration) float64{"chancery_outbox_oldest_seconds": always(7 * 3600)}}, []string{"ChanceryOutboxOld"}},
	{"messages pile up", fleet{process: map[string]func(int, time.Duration) float64{"chancery_outbox_waiting": always(10_000)}}, []string{"ChanceryOutboxOld"}},
	{"messages are given up", fleet{outbox: map[string]float64{"dead": .01}}, []string{"ChanceryDeadLetters"}},
	{"goroutines leak", fleet{process: map[string]func(int, time.Duration) float64{"go_goroutines": always(9000)}}, []string{"ChanceryGoroutines"}},
}

// step is before until d ago, and after since then.
func step(t, d time.Duration, before, after float64) float64 {
	if t < history-d {
		return before
	}
	return after
}

// Each alert is raised by what it is about, and not by what it is not about; what it says then is whole.
func TestAlertsAreRaised(t *testing.T) {
	all := alerts(t)
	seen := map[string]bool{}
	for _, night := range nights {
		for _, newer := range []bool{false, true} {
			m := night.metrics(newer)
			for _, a := range all {
				raised := m.query(t, a.Expr.String())
				if want := slices.Contains(night.raises, a.Alert); want != (len(raised) > 0) {
					t.Errorf("%s: %s is %v, raised by %v", night.sentence, a.Alert, want, raised)
				}
				for _, s := range raised {
					seen[a.Alert] = true
					said(t, a, s)
				}
			}
		}
	}
	for _, a := range all {
		if !seen[a.Alert] {
			t.Errorf("%s: nobody has seen it raised", a.Alert)
		}
	}
}

// said fills the annotations of a raised alert as Prometheus does, in so far as what they name has to be there.
func said(t *testing.T, a monitoring.Rule, s promql.Sample) {
	t.Helper()
	worded := func(v float64) string { return fmt.Sprintf("%.3g", v) }
	funcs := text.FuncMap{"humanize": worded, "humanize1024": worded, "humanizePercentage": worded, "humanizeDuration": worded}
	for name, value := range a.Annotations {
		tmpl, err := text.New(name).Funcs(funcs).Option("missingkey=error").Parse(`{{$labels := .Labels}}{{$value := .Value}}` + value)
		if err == nil {
			err = tmpl.Execute(&strings.Builder{}, map[string]any{"Labels": s.Metric.Map(), "Value": s.F})
		}
		if err != nil {
			t.Errorf("%s: %v", a.Alert, err)
		}
	}
}

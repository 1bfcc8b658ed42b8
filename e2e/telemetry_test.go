package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// otlp is a collector: it receives traces and metrics by OTLP over HTTP.
type otlp struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*trace.Span
	metrics []string
	raw     strings.Builder
}

func newCollector(t *testing.T) *otlp {
	o := &otlp{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.raw.Write(b)
		switch r.URL.Path {
		case "/v1/traces":
			var m collector.ExportTraceServiceRequest
			if err := proto.Unmarshal(b, &m); err != nil {
				t.Error(err)
			}
			for _, resource := range m.ResourceSpans {
				for _, scope := range resource.ScopeSpans {
					o.spans = append(o.spans, scope.Spans...)
				}
			}
		case "/v1/metrics":
			var m collectormetrics.ExportMetricsServiceRequest
			if err := proto.Unmarshal(b, &m); err != nil {
				t.Error(err)
			}
			for _, resource := range m.ResourceMetrics {
				for _, scope := range resource.ScopeMetrics {
					for _, metric := range scope.Metrics {
						o.metrics = append(o.metrics, metric.Name)
					}
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(o.Close)
	return o
}

// attribute is the text of an attribute of a span; empty: it has none.
func attribute(s *trace.Span, name string) string {
	for _, a := range s.Attributes {
		if a.Key == name {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// One request is one trace: the HTTP span, the flow, what was signed and what was sent to the database, of one tenant and
// without a secret (S189).
func TestTraces(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			o := newCollector(t)
			s := fresh(t, e, func(c *conf) {
				c.env = append(c.env, "OTEL_EXPORTER_OTLP_ENDPOINT="+o.URL, "OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_METRIC_EXPORT_INTERVAL=500")
			})
			x, other := s.newTenant(t), s.newTenant(t)
			k := x.tokens(t, x.Client)
			other.tokens(t, other.Client)
			call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).want(t, "200")
			sampled := "4bf92f3577b34da6a3ce929d0e0e4736"
			call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access), header("traceparent", "00-"+sampled+"-00f067aa0ba902b7-01"), header("baggage", "secret="+k.Access)).want(t, "200")
			seen := call(t, http.MethodGet, s.ops+"/metrics", header("Accept", "application/openmetrics-text; version=1.0.0"))
			exemplar := regexp.MustCompile(`chancery_request_duration_seconds_bucket\{flow="userinfo",.*# \{[^}]*trace_id="([0-9a-f]{32})"`).FindSubmatch(seen.body)
			if exemplar == nil {
				t.Fatalf("no exemplar leads from the metrics to a trace: %s", seen.body)
			}
			if err := s.stop(); err != nil { // which sends what is left
				t.Fatal(err)
			}
			o.mu.Lock()
			defer o.mu.Unlock()
			byTrace := map[string][]*trace.Span{}
			for _, span := range o.spans {
				byTrace[string(span.TraceId)] = append(byTrace[string(span.TraceId)], span)
			}
			if id, _ := hex.DecodeString(string(exemplar[1])); len(byTrace[string(id)]) == 0 {
				t.Error("the exemplar leads to no trace")
			}
			var found, continued bool
			for id, spans := range byTrace {
				var root *trace.Span
				for _, span := range spans {
					if span.Kind == trace.Span_SPAN_KIND_SERVER {
						root = span
					}
				}
				if root == nil {
					continue
				}
				if id == string(hexBytes(sampled)) {
					continued = true
				}
				if root.Name != "POST /token" || attribute(root, "tenant") != x.TenantID {
					continue
				}
				found = true
				parts := map[string]bool{"flow": false, "signing": false, "database": false}
				for _, span := range spans {
					parts["flow"] = parts["flow"] || strings.HasPrefix(span.Name, "flow ")
					parts["signing"] = parts["signing"] || span.Name == "keys.sign"
					parts["database"] = parts["database"] || slices.ContainsFunc(span.Attributes, func(a *common.KeyValue) bool { return strings.HasPrefix(a.Key, "db.") })
					if span != root && !slices.ContainsFunc(spans, func(s *trace.Span) bool { return string(s.SpanId) == string(span.ParentSpanId) }) {
						t.Errorf("span %s hangs nowhere", span.Name)
					}
					if y := attribute(span, "tenant"); y != "" && y != x.TenantID {
						t.Errorf("span %s is of %s", span.Name, y)
					}
				}
				for what, there := range parts {
					if !there {
						t.Errorf("the trace has no span of the %s: %v", what, spans)
					}
				}
			}
			if !found {
				t.Error("no trace of the token request")
			}
			if !continued {
				t.Error("a trace that a trusted proxy began is not continued")
			}
			if !slices.Contains(o.metrics, "chancery.request.duration") {
				t.Error("metrics:", o.metrics)
			}
			if found := secretsIn(o.raw.String()); len(found) > 0 {
				t.Errorf("%d secrets were sent to the collector", len(found))
			}
		})
	}
}

func hexBytes(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

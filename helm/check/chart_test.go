package check

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gateway "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/google/go-cmp/cmp"
	core "k8s.io/api/core/v1"
)

// base is what every release has.
var base = []string{"Deployment/id-chancery", "Service/id-chancery", "Service/id-chancery-ops"}

// charts is the table of values: for each file the objects that it makes beside base, and what is special about them.
var charts = map[string]struct {
	objects []string
	facts   []fact
}{
	"minimal": {[]string{"Job/id-chancery-migrate", "NetworkPolicy/id-chancery", "NetworkPolicy/id-chancery-migrate", "PodDisruptionBudget/id-chancery", "ServiceAccount/id-chancery"}, []fact{
		{"three replicas", func(o *objects) bool { return o.leastReplicas() == 3 }},
		{"nobody reaches the metrics", func(o *objects) bool { return len(o.network.Spec.Ingress) == 1 }},
		{"the version of the chart is that of the image", func(o *objects) bool {
			return strings.HasSuffix(o.server().Image, "/chancery:"+o.deployment.Labels["app.kubernetes.io/version"])
		}},
	}},
	"ingress": {[]string{"Ingress/id-chancery", "Job/id-chancery-migrate", "NetworkPolicy/id-chancery", "NetworkPolicy/id-chancery-migrate", "PodDisruptionBudget/id-chancery", "ServiceAccount/id-chancery"}, []fact{
		{"the public host first, then the others", func(o *objects) bool {
			rs := o.ingress.Spec.Rules
			return len(rs) == 2 && rs[0].Host == "id.example.com" && rs[1].Host == "login.tenant.example"
		}},
		{"all trusted proxies", func(o *objects) bool {
			return env(o.server(), "CHANCERY_TRUSTED_PROXIES").Value == "10.244.0.0/16,fd00:10:244::/56"
		}},
	}},
	"gateway": {[]string{"HTTPRoute/id-chancery", "Job/id-chancery-migrate", "NetworkPolicy/id-chancery", "NetworkPolicy/id-chancery-migrate", "PodDisruptionBudget/id-chancery", "ServiceAccount/id-chancery"}, []fact{
		{"host names without a port", func(o *objects) bool {
			return slices.Equal(o.route.Spec.Hostnames, []gateway.Hostname{"id.example.com", "*.tenants.example"})
		}},
		{"only the paths that are given", func(o *objects) bool { return len(o.route.Spec.Rules[0].Matches) == 2 }},
		{"the image by digest", func(o *objects) bool { return strings.Contains(o.server().Image, "@sha256:") }},
	}},
	"secrets": {[]string{"Job/id-chancery-migrate", "NetworkPolicy/id-chancery", "NetworkPolicy/id-chancery-migrate", "PodDisruptionBudget/id-chancery"}, []fact{
		{"the direct connection from its key, for both", func(o *objects) bool {
			for _, p := range o.pods() {
				if e := env(&p.Spec.Containers[0], "CHANCERY_LISTEN_DATABASE_URL"); e == nil || e.ValueFrom.SecretKeyRef.Key != "direct-database-url" {
					return false
				}
			}
			return true
		}},
		{"the first token", func(o *objects) bool {
			return env(o.server(), "CHANCERY_ADMIN_TOKEN").ValueFrom.SecretKeyRef.Key == "admin-token"
		}},
		{"accounts of others", func(o *objects) bool {
			return o.deployment.Spec.Template.Spec.ServiceAccountName == "identity" && o.migration.Spec.Template.Spec.ServiceAccountName == "migrator"
		}},
		{"the database's authority at both", func(o *objects) bool {
			return !slices.ContainsFunc(o.pods(), func(p pod) bool {
				return !slices.ContainsFunc(p.Spec.Containers[0].VolumeMounts, func(m core.VolumeMount) bool { return m.Name == "database-ca" })
			})
		}},
	}},
	"tls": {[]string{"Job/id-chancery-migrate", "NetworkPolicy/id-chancery", "NetworkPolicy/id-chancery-migrate", "PodDisruptionBudget/id-chancery", "ServiceAccount/id-chancery"}, []fact{
		{"a certificate and no proxy", func(o *objects) bool {
			return env(o.server(), "CHANCERY_TLS_CERT") != nil && env(o.server(), "CHANCERY_TRUSTED_PROXIES") == nil
		}},
		{"the service says so", func(o *objects) bool {
			return o.service.Spec.Ports[0].Name == "https" && o.service.Spec.Type == core.ServiceTypeLoadBalancer
		}},
		{"the user that the platform gives", func(o *objects) bool { return o.deployment.Spec.Template.Spec.SecurityContext.RunAsUser == nil }},
	}},
	"small": {nil, []fact{
		{"one replica", func(o *objects) bool { return o.leastReplicas() == 1 }},
		{"no pause", func(o *objects) bool { return o.server().Lifecycle == nil }},
	}},
	"full": {[]string{"ConfigMap/identity-dashboard", "HTTPRoute/identity", "HorizontalPodAutoscaler/identity", "Ingress/identity", "Job/identity-migrate", "NetworkPolicy/identity",
		"NetworkPolicy/identity-migrate", "PodDisruptionBudget/identity", "PrometheusRule/identity", "ServiceAccount/identity", "ServiceMonitor/identity"}, []fact{
		{"the server may call the collector", func(o *objects) bool {
			return slices.ContainsFunc(o.network.Spec.Egress, opens(4318)) && !slices.ContainsFunc(o.migrating.Spec.Egress, opens(4318))
		}},
		{"a pod's own labels over those of all", func(o *objects) bool {
			return o.deployment.Labels["tier"] == "backend" && o.deployment.Spec.Template.Labels["tier"] == "frontend"
		}},
		{"two metrics", func(o *objects) bool { return len(o.autoscaler.Spec.Metrics) == 2 }},
		{"alerts about this release", func(o *objects) bool {
			return strings.Contains(o.alerts.Spec.Groups[0].Rules[0].Expr.String(), `up{namespace="identity",job="identity-ops"}`)
		}},
	}},
}

// fact is something special that values make.
type fact struct {
	sentence string
	holds    func(*objects) bool
}

func TestChart(t *testing.T) {
	files := valuesFiles(t)
	if len(files) != len(charts) {
		t.Errorf("%d files of values, of which %d are in the table", len(files), len(charts))
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := helm(t, "lint", "--strict", "--quiet", chart, "--values", file); err != nil {
				t.Error(err)
			}
			o := rendered(t, file)
			want := slices.Clone(base)
			if name == "full" {
				for i := range want {
					want[i] = strings.Replace(want[i], "id-chancery", "identity", 1)
				}
			}
			want = append(want, charts[name].objects...)
			slices.Sort(want)
			if diff := cmp.Diff(want, o.names()); diff != "" {
				t.Errorf("objects:\n%s", diff)
			}
			for _, f := range charts[name].facts {
				if !f.holds(o) {
					t.Errorf("not so: %s", f.sentence)
				}
			}
			for _, r := range rules {
				for _, complaint := range r.broken(o) {
					t.Errorf("%s: %s", r.sentence, complaint)
				}
			}
		})
	}
}

// What helm says about a chart without values is friendly; the defaults are the chart's alone.
func TestLintWithoutValues(t *testing.T) {
	if _, err := helm(t, "lint", "--strict", chart); err != nil {
		t.Error(err)
	}
}

// A release may be called anything.
func TestReleaseNames(t *testing.T) {
	for _, name := range []string{"a", "chancery", "my-chancery-2", strings.Repeat("long-", 10) + "abc"} {
		text, err := template(t, name, "--values", valuesFiles(t)["full"], "--set", "fullnameOverride=")
		if err != nil {
			t.Fatal(err)
		}
		o, err := decode(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			for _, complaint := range r.broken(o) {
				t.Errorf("release %s: %s: %s", name, r.sentence, complaint)
			}
		}
	}
}

// refusals are values that the chart does not take, with a word of what it says.
var refusals = []struct {
	sentence string
	args     []string
	says     string
}{
	{"there is no image by default", []string{"image.repository="}, "image.repository has to be given"},
	{"a database is needed", []string{"database.existingSecret="}, "database.existingSecret has to be given"},
	{"a key-encryption key is needed", []string{"kek.existingSecret="}, "kek.existingSecret has to be given"},
	{"a public URL is needed", []string{"publicURL="}, "publicURL has to be given"},
	{"a public URL has https", []string{"publicURL=http://id.example.com"}, "publicURL"},
	{"a public URL has no query", []string{"publicURL=https://id.example.com/?x"}, "publicURL"},
	{"somebody ends TLS", []string{"trustedProxies=null"}, "trustedProxies"},
	{"a proxy is an address or a network", []string{"trustedProxies[0]=proxy.example"}, "trustedProxies"},
	{"a policy names callers", []string{"networkPolicy.from=null"}, "networkPolicy.from"},
	{"everybody is not a name", []string{"networkPolicy.from[0]=null"}, "networkPolicy"},
	{"metrics have a reader", []string{"serviceMonitor.enabled=true"}, "monitoringFrom"},
	{"a route has a gateway", []string{"httpRoute.enabled=true"}, "parentRefs"},
	{"an autoscaler has room", []string{"autoscaling.enabled=true", "autoscaling.minReplicas=13"}, "greater than"},
	{"an autoscaler measures against something", []string{"autoscaling.enabled=true", "resources.requests.cpu=null"}, "resources.requests.cpu"},
	{"a budget keeps a replica", []string{"podDisruptionBudget.maxUnavailable=3"}, "all 3 replicas"},
	{"a budget lets one go", []string{"podDisruptionBudget.maxUnavailable=0"}, "maxUnavailable"},
	{"nobody is root", []string{"podSecurityContext.runAsUser=0"}, "runAsUser"},
	{"values are known", []string{"replicas=3"}, "replicas"},
	{"values inside are known", []string{"database.url=postgres://x"}, "url"},
	{"values have their types", []string{"replicaCount=many"}, "replicaCount"},
	{"a variable of the chart is not set twice", []string{"extraEnv[0].name=CHANCERY_KEK", "extraEnv[0].value=x"}, "extraEnv"},
	{"production stays production", []string{"extraEnv[0].name=CHANCERY_ENV", "extraEnv[0].value=development"}, "extraEnv"},
	{"labels that select are the chart's", []string{`podLabels.app\.kubernetes\.io/component=x`}, "app.kubernetes.io/component"},
	{"volumes have their own names", []string{"extraVolumes[0].name=kek"}, "extraVolumes"},
	{"a probe has no command", []string{"livenessProbe.exec.command[0]=true"}, "livenessProbe"},
	{"a path cannot close its quotes", []string{`ingress.paths[0]=/" x`}, "paths"},
}

func TestRefusals(t *testing.T) {
	minimal := valuesFiles(t)["minimal"]
	for _, tt := range refusals {
		t.Run(tt.sentence, func(t *testing.T) {
			t.Parallel()
			args := []string{"--values", minimal}
			for _, s := range tt.args {
				args = append(args, "--set", s)
			}
			if text, err := template(t, release, args...); err == nil {
				t.Errorf("it is taken:\n%s", text)
			} else if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("it does not say %q: %v", tt.says, err)
			}
		})
	}
}

// Strict decoding is what finds a member at the wrong place; it has to.
func TestDecodingIsStrict(t *testing.T) {
	const service = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {type: ClusterIP}\n"
	for rule, tt := range map[string]struct {
		text string
		good bool
	}{
		"a service":                {service, true},
		"comments":                 {"# only\n---\n" + service, true},
		"an unknown member":        {service + "sepc: {}\n", false},
		"an unknown member inside": {strings.Replace(service, "type:", "tpye:", 1), false},
		"a member twice":           {service + "kind: Service\n", false},
		"a wrong type":             {strings.Replace(service, "ClusterIP", "[]", 1), false},
		"an unknown kind":          {strings.Replace(service, "Service", "Servant", 1), false},
		"an unknown version":       {strings.Replace(service, "v1", "v9", 1), false},
		"a kind the chart lacks":   {strings.Replace(service, "Service", "Secret", 1), false},
		"a route":                  {"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: x}\nspec: {hostname: x}\n", false},
		"a monitor":                {"apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: x}\nspec: {endpoint: []}\n", false},
	} {
		if _, err := decode(tt.text); (err == nil) != tt.good {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

// The notes lead to a first token by commands that name this release. helm shows notes only of what it installs, so the test
// renders them as an object.
func TestNotes(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	object := `{{- define "notes" }}` + read(t, filepath.Join(dir, "templates", "NOTES.txt")) + "{{ end }}apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\ndata:\n  notes: {{ include \"notes\" . | quote }}\n"
	if err := os.WriteFile(filepath.Join(dir, "templates", "notes.yaml"), []byte(object), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := helm(t, "template", release, dir, "--namespace", namespace, "--values", valuesFiles(t)["minimal"], "--show-only", "templates/notes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	notes := o.dashboard.Data["notes"]
	for _, want := range []string{"exec deployment/id-chancery -- /chancery token create platform", "https://id.example.com/admin/v1", "--namespace identity", "chancery-kek"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is missing in %s", want, notes)
		}
	}
}

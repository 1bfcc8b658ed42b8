package check

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
)

// podRules are about every pod: the servers' and the migration's.
var podRules = []rule{
	{"containers are not root, gain nothing, and write nowhere", func(o *objects) (c complaints) {
		for _, p := range o.pods() {
			s := p.Spec.SecurityContext
			if c.add(s == nil, "%s: no security context", p.name); s == nil {
				continue
			}
			c.add(!isTrue(s.RunAsNonRoot), "%s: may be root", p.name)
			c.add(s.RunAsUser != nil && *s.RunAsUser == 0, "%s: is root", p.name)
			c.add(s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault, "%s: any system call", p.name)
			c.add(p.Spec.HostNetwork || p.Spec.HostPID || p.Spec.HostIPC, "%s: shares the node's own", p.name)
			for _, k := range containersOf(p) {
				s := k.SecurityContext
				if c.add(s == nil, "%s: no security context", k.Name); s == nil {
					continue
				}
				c.add(!isFalse(s.AllowPrivilegeEscalation), "%s: may gain privileges", k.Name)
				c.add(!isTrue(s.ReadOnlyRootFilesystem), "%s: may write", k.Name)
				c.add(isTrue(s.Privileged) || s.RunAsUser != nil && *s.RunAsUser == 0 || isFalse(s.RunAsNonRoot), "%s: is privileged", k.Name)
				c.add(s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(s.Capabilities.Add) > 0, "%s: has capabilities", k.Name)
				for _, m := range k.VolumeMounts {
					c.add(!m.ReadOnly, "%s: %s may be written", k.Name, m.MountPath)
				}
			}
		}
		return c
	}, map[string]func(*objects){
		"root allowed":           func(o *objects) { *o.deployment.Spec.Template.Spec.SecurityContext.RunAsNonRoot = false },
		"root":                   func(o *objects) { *o.migration.Spec.Template.Spec.SecurityContext.RunAsUser = 0 },
		"no context":             func(o *objects) { o.deployment.Spec.Template.Spec.SecurityContext = nil },
		"no container's context": func(o *objects) { o.server().SecurityContext = nil },
		"any system call":        func(o *objects) { o.deployment.Spec.Template.Spec.SecurityContext.SeccompProfile = nil },
		"the node's network":     func(o *objects) { o.deployment.Spec.Template.Spec.HostNetwork = true },
		"escalation":             func(o *objects) { o.server().SecurityContext.AllowPrivilegeEscalation = nil },
		"a writable root":        func(o *objects) { *o.server().SecurityContext.ReadOnlyRootFilesystem = false },
		"privileges": func(o *objects) {
			o.server().SecurityContext.Privileged = o.server().SecurityContext.ReadOnlyRootFilesystem
		},
		"capabilities kept":  func(o *objects) { o.server().SecurityContext.Capabilities.Drop = nil },
		"a capability added": func(o *objects) { o.server().SecurityContext.Capabilities.Add = []core.Capability{"NET_ADMIN"} },
		"a writable volume":  func(o *objects) { o.server().VolumeMounts[0].ReadOnly = false },
		"a sidecar that is root": func(o *objects) {
			o.deployment.Spec.Template.Spec.InitContainers = []core.Container{{Name: "init"}}
		},
	}},
	{"no pod may talk to Kubernetes or is told of other services", func(o *objects) (c complaints) {
		for _, p := range o.pods() {
			c.add(!isFalse(p.Spec.AutomountServiceAccountToken), "%s: has a token", p.name)
			c.add(!isFalse(p.Spec.EnableServiceLinks), "%s: services may set CHANCERY_ variables", p.name)
		}
		c.add(o.account != nil && !isFalse(o.account.AutomountServiceAccountToken), "the account gives tokens")
		return c
	}, map[string]func(*objects){
		"a token":           func(o *objects) { o.deployment.Spec.Template.Spec.AutomountServiceAccountToken = nil },
		"an account's":      func(o *objects) { o.account.AutomountServiceAccountToken = nil },
		"a migration's":     func(o *objects) { *o.migration.Spec.Template.Spec.AutomountServiceAccountToken = true },
		"service variables": func(o *objects) { o.deployment.Spec.Template.Spec.EnableServiceLinks = nil },
	}},
	{"no secret is written into an object", func(o *objects) (c complaints) {
		for _, p := range o.pods() {
			for _, k := range containersOf(p) {
				for _, e := range k.Env {
					c.add(secret.MatchString(e.Name) && e.Value != "", "%s has the value of %s", k.Name, e.Name)
					u, err := url.Parse(e.Value)
					c.add(err == nil && u.User != nil, "%s: %s holds somebody's name in a URL", k.Name, e.Name)
				}
			}
		}
		return c
	}, map[string]func(*objects){
		"a DSN": func(o *objects) {
			*env(o.server(), "CHANCERY_DATABASE_URL") = core.EnvVar{Name: "CHANCERY_DATABASE_URL", Value: "postgres://db"}
		},
		"a key": func(o *objects) { env(o.server(), "CHANCERY_KEK_FILE").Name = "CHANCERY_KEK" },
		"a token": func(o *objects) {
			o.server().Env = append(o.server().Env, core.EnvVar{Name: "CHANCERY_ADMIN_TOKEN", Value: "x"})
		},
		"a password in a URL": func(o *objects) { env(o.server(), "HTTPS_PROXY").Value = "http://me:secret@proxy.example" },
	}},
	{"no variable is set twice, and every volume is there", func(o *objects) (c complaints) {
		for _, p := range o.pods() {
			for _, k := range containersOf(p) {
				seen := map[string]bool{}
				for _, e := range k.Env {
					c.add(seen[e.Name], "%s: %s", k.Name, e.Name)
					c.add(e.Value == "" && e.ValueFrom == nil, "%s: %s is empty", k.Name, e.Name)
					seen[e.Name] = true
				}
				for _, m := range k.VolumeMounts {
					c.add(!slices.ContainsFunc(p.Spec.Volumes, func(v core.Volume) bool { return v.Name == m.Name }), "%s: there is no volume %s", k.Name, m.Name)
				}
			}
		}
		return c
	}, map[string]func(*objects){
		"a variable twice":  func(o *objects) { o.server().Env = append(o.server().Env, o.server().Env[0]) },
		"an empty variable": func(o *objects) { env(o.server(), "CHANCERY_PUBLIC_URL").Value = "" },
		"a missing volume":  func(o *objects) { o.deployment.Spec.Template.Spec.Volumes = nil },
	}},
	{"every pod says what it needs of the node, where values do not say otherwise", func(o *objects) (c complaints) {
		if o.server().Resources.Requests == nil && o.server().Resources.Limits == nil {
			return nil // small-values.yaml
		}
		for _, p := range o.pods() {
			for _, k := range containersOf(p) {
				r := k.Resources
				c.add(r.Requests.Cpu().IsZero() || r.Requests.Memory().IsZero(), "%s asks for nothing", k.Name)
				c.add(r.Limits.Memory().IsZero() || r.Limits.Memory().Cmp(*r.Requests.Memory()) < 0, "%s has no limit of memory above its request", k.Name)
			}
		}
		return c
	}, map[string]func(*objects){
		"no request": func(o *objects) { delete(o.server().Resources.Requests, core.ResourceMemory) },
		"no limit":   func(o *objects) { o.migration.Spec.Template.Spec.Containers[0].Resources.Limits = nil },
	}},
}

// secret matches the names of variables whose values are secret.
var secret = regexp.MustCompile(`(?i)(DATABASE_URL|KEK|TOKEN|SECRET|PASSWORD|HEADERS|API_?KEY)$`)

// containersOf are all containers of a pod.
func containersOf(p pod) []core.Container {
	return slices.Concat(p.Spec.InitContainers, p.Spec.Containers)
}

// legal finds names and labels that the server of Kubernetes would refuse.
func legal(o *objects) (c complaints) {
	seen := map[string]bool{}
	for _, n := range o.all {
		name := n.GetObjectKind().GroupVersionKind().Kind + "/" + n.GetName()
		c.add(seen[name], "%s is there twice", name)
		seen[name] = true
		for _, wrong := range validation.IsDNS1035Label(n.GetName()) {
			c.add(true, "%s: %s", name, wrong)
		}
		c.add(n.GetNamespace() != namespace, "%s is in %q", name, n.GetNamespace())
		c.add(!contains(n.GetLabels(), map[string]string{"app.kubernetes.io/name": "chancery", "app.kubernetes.io/managed-by": "Helm"}), "%s: labels %v", name, n.GetLabels())
		c = append(c, mislabelled(name, n.GetLabels())...)
	}
	for _, p := range o.pods() {
		c = append(c, mislabelled(p.name, p.Labels)...)
		for _, k := range containersOf(p) {
			for _, port := range k.Ports {
				for _, wrong := range validation.IsValidPortName(port.Name) {
					c.add(true, "%s: port %s %s", k.Name, port.Name, wrong)
				}
			}
			for _, e := range k.Env {
				for _, wrong := range validation.IsEnvVarName(e.Name) {
					c.add(true, "%s: variable %s", k.Name, wrong)
				}
			}
		}
	}
	return c
}

func mislabelled(of string, all map[string]string) (c complaints) {
	for _, k := range slices.Sorted(maps.Keys(all)) {
		wrong := slices.Concat(validation.IsQualifiedName(k), validation.IsValidLabelValue(all[k]))
		c.add(len(wrong) > 0, "%s: label %s: %s", of, k, strings.Join(wrong, ", "))
	}
	return c
}

// probed is the port and path that a probe asks.
func probed(c *core.Container, p *core.Probe) (port int, path string) {
	if p == nil || p.HTTPGet == nil {
		return 0, ""
	}
	return containerPort(c, p.HTTPGet.Port), p.HTTPGet.Path
}

// atPort is a port by number.
func atPort(n int) intstr.IntOrString { return intstr.FromInt(n) }

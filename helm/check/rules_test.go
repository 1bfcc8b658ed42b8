package check

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	gateway "sigs.k8s.io/gateway-api/apis/v1"

	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// rule is what must hold of the objects, whatever the values.
type rule struct {
	sentence string
	broken   func(*objects) complaints
	// breaches break the rule in objects that keep it, each in its own way.
	breaches map[string]func(*objects)
}

// rules hold for each row of the table of values.
var rules = slices.Concat(podRules, serverRules, networkRules, clusterRules)

// Each rule finds each of its breaches, in objects in which nothing else is wrong.
func TestRulesCanFail(t *testing.T) {
	text, err := template(t, release, "--values", valuesFiles(t)["full"])
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if len(r.breaches) == 0 {
			t.Errorf("%s: nobody has seen it fail", r.sentence)
		}
		for _, name := range slices.Sorted(maps.Keys(r.breaches)) {
			o, err := decode(text)
			if err != nil {
				t.Fatal(err)
			}
			r.breaches[name](o)
			if len(r.broken(o)) == 0 {
				t.Errorf("%s: does not find %s", r.sentence, name)
			}
		}
	}
}

// complaints gathers what is wrong.
type complaints []string

func (c *complaints) add(wrong bool, format string, args ...any) {
	if wrong {
		*c = append(*c, fmt.Sprintf(format, args...))
	}
}

// isTrue and isFalse read what may be missing.
func isTrue(b *bool) bool  { return b != nil && *b }
func isFalse(b *bool) bool { return b != nil && !*b }

// contains reports whether labels have all of want, of which there has to be something.
func contains(labels, want map[string]string) bool {
	for k, v := range want {
		if labels[k] != v {
			return false
		}
	}
	return len(want) > 0
}

// opens reports whether an egress rule opens a TCP port.
func opens(port int) func(networking.NetworkPolicyEgressRule) bool {
	return func(r networking.NetworkPolicyEgressRule) bool { return hasPort(r.Ports, port) }
}

// hasPort reports whether ports, all where there are none, hold a TCP port.
func hasPort(ports []networking.NetworkPolicyPort, port int) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networking.NetworkPolicyPort) bool {
		return (p.Protocol == nil || *p.Protocol == core.ProtocolTCP) && (p.Port == nil || p.Port.IntValue() == port)
	})
}

// containerPort is the number of a container's port, by name or number; 0 where there is none.
func containerPort(c *core.Container, at intstr.IntOrString) int {
	for _, p := range c.Ports {
		if at.Type == intstr.String && p.Name == at.StrVal || at.Type == intstr.Int && p.ContainerPort == at.IntVal {
			return int(p.ContainerPort)
		}
	}
	return 0
}

// clusterRules are about objects beside pods and networks.
var clusterRules = []rule{
	{"the autoscaler scales the deployment, which does not scale itself then", func(o *objects) (c complaints) {
		a := o.autoscaler
		if a == nil {
			c.add(o.deployment.Spec.Replicas == nil, "nobody says how many replicas there are")
			return c
		}
		ref := a.Spec.ScaleTargetRef
		c.add(o.deployment.Spec.Replicas != nil, "each upgrade would undo what the autoscaler did")
		c.add(ref.Kind != "Deployment" || ref.Name != o.deployment.Name || ref.APIVersion != "apps/v1", "it scales %v", ref)
		c.add(a.Spec.MinReplicas == nil || *a.Spec.MinReplicas > a.Spec.MaxReplicas, "from %v to %d replicas", a.Spec.MinReplicas, a.Spec.MaxReplicas)
		for _, m := range a.Spec.Metrics {
			if m.Resource != nil && m.Resource.Target.Type == autoscaling.UtilizationMetricType {
				_, known := o.server().Resources.Requests[m.Resource.Name]
				c.add(!known, "%s is measured against a request that is missing", m.Resource.Name)
			}
		}
		return c
	}, map[string]func(*objects){
		"a number of replicas": func(o *objects) { o.deployment.Spec.Replicas = new(int32) },
		"no number at all":     func(o *objects) { o.autoscaler = nil },
		"another target":       func(o *objects) { o.autoscaler.Spec.ScaleTargetRef.Name = "other" },
		"the wrong way round":  func(o *objects) { o.autoscaler.Spec.MaxReplicas = 1 },
		"no request":           func(o *objects) { delete(o.server().Resources.Requests, core.ResourceCPU) },
	}},
	{"a disruption leaves a replica, and does not wait for ever", func(o *objects) (c complaints) {
		if o.budget == nil {
			return nil
		}
		out := o.budget.Spec.MaxUnavailable
		if c.add(out == nil, "it does not say how many may go"); out == nil {
			return c
		}
		least := o.leastReplicas()
		n, err := intstr.GetScaledValueFromIntOrPercent(out, least, true)
		c.add(err != nil || n < 1, "none of %d may go: %v", least, out)
		c.add(least > 1 && n >= least, "all %d may go", least)
		return c
	}, map[string]func(*objects){
		"nothing said":  func(o *objects) { o.budget.Spec.MaxUnavailable = nil },
		"none may go":   func(o *objects) { *o.budget.Spec.MaxUnavailable = intstr.FromInt32(0) },
		"all may go":    func(o *objects) { *o.budget.Spec.MaxUnavailable = intstr.FromString("100%") },
		"as many as go": func(o *objects) { *o.budget.Spec.MaxUnavailable = intstr.FromInt32(4) },
	}},
	{"the migration runs before a release, once, without the key-encryption key", func(o *objects) (c complaints) {
		j := o.migration
		if j == nil {
			return nil
		}
		main := &j.Spec.Template.Spec.Containers[0]
		c.add(j.Annotations[hook] != "pre-install,pre-upgrade", "it runs at %q", j.Annotations[hook])
		c.add(j.Annotations[hook+"-delete-policy"] == "", "the next upgrade would meet the job of this one")
		c.add(j.Spec.ActiveDeadlineSeconds == nil, "it may hang for ever")
		c.add(j.Spec.Template.Spec.RestartPolicy != core.RestartPolicyNever, "it restarts by itself")
		c.add(!slices.Equal(main.Args, []string{"migrate"}), "it runs %v", main.Args)
		c.add(main.Image != o.server().Image, "it is another image than the server's")
		c.add(env(main, "CHANCERY_KEK_FILE") != nil || env(main, "CHANCERY_KEK") != nil, "it gets the key-encryption key")
		c.add(o.account != nil && j.Spec.Template.Spec.ServiceAccountName == o.account.Name, "its service account is not there yet")
		return c
	}, map[string]func(*objects){
		"after the release":     func(o *objects) { o.migration.Annotations[hook] = "post-install" },
		"a job that stays":      func(o *objects) { delete(o.migration.Annotations, hook+"-delete-policy") },
		"no deadline":           func(o *objects) { o.migration.Spec.ActiveDeadlineSeconds = nil },
		"restarts":              func(o *objects) { o.migration.Spec.Template.Spec.RestartPolicy = core.RestartPolicyOnFailure },
		"another command":       func(o *objects) { o.migration.Spec.Template.Spec.Containers[0].Args = []string{"serve"} },
		"another image":         func(o *objects) { o.migration.Spec.Template.Spec.Containers[0].Image += "1" },
		"the key":               func(o *objects) { o.migration.Spec.Template.Spec.Containers[0].Env[0].Name = "CHANCERY_KEK" },
		"the release's account": func(o *objects) { o.migration.Spec.Template.Spec.ServiceAccountName = o.account.Name },
	}},
	{"every object is in the release's namespace, under a name and labels that Kubernetes takes", legal, map[string]func(*objects){
		"another namespace":      func(o *objects) { o.service.Namespace = "default" },
		"a long name":            func(o *objects) { o.service.Name = fmt.Sprintf("%064d", 0) },
		"capitals":               func(o *objects) { o.deployment.Name = "Chancery" },
		"a label that ends in -": func(o *objects) { o.deployment.Labels["x"] = "1.0-" },
		"a label without a name": func(o *objects) { o.deployment.Spec.Template.Labels["/x"] = "1" },
		"a long port name":       func(o *objects) { o.server().Ports[0].Name = "a-very-long-name" },
		"no manager":             func(o *objects) { delete(o.ops.Labels, "app.kubernetes.io/managed-by") },
		"the same name twice":    func(o *objects) { o.ops.Name = o.service.Name },
	}},
	{"the metrics service is found by the monitor, and leads to replicas that are not ready as well", func(o *objects) (c complaints) {
		c.add(!o.ops.Spec.PublishNotReadyAddresses, "replicas that are not ready are not seen")
		if o.monitor == nil {
			return c
		}
		s := o.monitor.Spec
		c.add(!contains(o.ops.Labels, s.Selector.MatchLabels), "%v does not find it", s.Selector.MatchLabels)
		c.add(contains(o.service.Labels, s.Selector.MatchLabels), "%v finds the service for callers as well", s.Selector.MatchLabels)
		c.add(!slices.Equal(s.NamespaceSelector.MatchNames, []string{o.ops.Namespace}), "it looks in %v", s.NamespaceSelector)
		c.add(len(s.Endpoints) != 1 || s.Endpoints[0].Port != o.ops.Spec.Ports[0].Name || s.Endpoints[0].Path != "/metrics", "it asks %v", s.Endpoints)
		return c
	}, map[string]func(*objects){
		"only ready ones":   func(o *objects) { o.ops.Spec.PublishNotReadyAddresses = false },
		"other labels":      func(o *objects) { o.monitor.Spec.Selector.MatchLabels["x"] = "y" },
		"labels of both":    func(o *objects) { delete(o.monitor.Spec.Selector.MatchLabels, "app.kubernetes.io/component") },
		"no labels":         func(o *objects) { o.monitor.Spec.Selector.MatchLabels = nil },
		"another namespace": func(o *objects) { o.monitor.Spec.NamespaceSelector.MatchNames = nil },
		"another port":      func(o *objects) { o.monitor.Spec.Endpoints[0].Port = "http" },
	}},
	{"a gateway's route and an ingress lead to the service for callers, by its port", func(o *objects) (c complaints) {
		port := o.service.Spec.Ports[0].Port
		if o.ingress != nil {
			for _, r := range o.ingress.Spec.Rules {
				c.add(r.Host == "", "a rule for every host")
				for _, p := range r.HTTP.Paths {
					b := p.Backend.Service
					c.add(b.Name != o.service.Name || b.Port.Number != port, "%s%s leads to %v", r.Host, p.Path, b)
				}
			}
		}
		if o.route != nil {
			c.add(len(o.route.Spec.Hostnames) == 0, "a route for every host")
			for _, r := range o.route.Spec.Rules {
				c.add(len(r.BackendRefs) != 1, "%d backends", len(r.BackendRefs))
				for _, b := range r.BackendRefs {
					c.add(string(b.Name) != o.service.Name || b.Port == nil || *b.Port != port, "it leads to %v", b.BackendObjectReference)
				}
			}
		}
		return c
	}, map[string]func(*objects){
		"an ingress to operations": func(o *objects) { o.ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name = o.ops.Name },
		"an ingress by name":       func(o *objects) { o.ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Port.Number = 8080 },
		"any host":                 func(o *objects) { o.ingress.Spec.Rules[0].Host = "" },
		"a route to operations":    func(o *objects) { o.route.Spec.Rules[0].BackendRefs[0].Name = gateway.ObjectName(o.ops.Name) },
		"a route without a port":   func(o *objects) { o.route.Spec.Rules[0].BackendRefs[0].Port = nil },
		"a route for any host":     func(o *objects) { o.route.Spec.Hostnames = nil },
	}},
}

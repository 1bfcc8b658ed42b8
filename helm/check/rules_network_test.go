package check

import (
	"net/netip"
	"slices"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// networkRules are about who selects and reaches whom.
var networkRules = []rule{
	{"selectors select the pods they are meant for, and no others", func(o *objects) (c complaints) {
		server := o.deployment.Spec.Template.Labels
		migration := map[string]string{}
		if o.migration != nil {
			migration = o.migration.Spec.Template.Labels
		}
		servers := map[string]map[string]string{"deployment": o.deployment.Spec.Selector.MatchLabels, "service": o.service.Spec.Selector, "operations": o.ops.Spec.Selector}
		if o.budget != nil {
			servers["budget"] = o.budget.Spec.Selector.MatchLabels
		}
		if o.network != nil {
			servers["policy"] = o.network.Spec.PodSelector.MatchLabels
		}
		for name, s := range servers {
			c.add(!contains(server, s), "%s does not select the servers: %v", name, s)
			c.add(contains(migration, s), "%s selects the migration: %v", name, s)
		}
		if o.migrating != nil {
			s := o.migrating.Spec.PodSelector.MatchLabels
			c.add(!contains(migration, s), "its policy does not select the migration: %v", s)
			c.add(contains(server, s), "the migration's policy selects the servers: %v", s)
		}
		return c
	}, map[string]func(*objects){
		"another deployment":       func(o *objects) { o.deployment.Spec.Selector.MatchLabels["x"] = "y" },
		"another service":          func(o *objects) { o.service.Spec.Selector["app.kubernetes.io/instance"] = "other" },
		"no selector":              func(o *objects) { o.ops.Spec.Selector = nil },
		"a budget for both":        func(o *objects) { delete(o.budget.Spec.Selector.MatchLabels, "app.kubernetes.io/component") },
		"a policy for nobody":      func(o *objects) { o.network.Spec.PodSelector.MatchLabels["x"] = "y" },
		"a policy for the others":  func(o *objects) { o.migrating.Spec.PodSelector = o.network.Spec.PodSelector },
		"a policy for all of them": func(o *objects) { delete(o.migrating.Spec.PodSelector.MatchLabels, "app.kubernetes.io/component") },
	}},
	{"services lead to ports that are there, that for callers never to operations", func(o *objects) (c complaints) {
		for name, want := range map[*core.Service]int{o.service: public, o.ops: operations} {
			c.add(len(name.Spec.Ports) != 1, "%s has %d ports", name.Name, len(name.Spec.Ports))
			for _, p := range name.Spec.Ports {
				c.add(containerPort(o.server(), p.TargetPort) != want, "%s leads to %s", name.Name, p.TargetPort.String())
			}
			c.add(name.Spec.SessionAffinity == core.ServiceAffinityClientIP, "%s is sticky", name.Name)
		}
		c.add(o.ops.Spec.Type != core.ServiceTypeClusterIP, "operations are %s", o.ops.Spec.Type)
		return c
	}, map[string]func(*objects){
		"callers at operations": func(o *objects) { o.service.Spec.Ports[0].TargetPort = atPort(operations) },
		"a port of nobody":      func(o *objects) { o.ops.Spec.Ports[0].TargetPort = atPort(9090) },
		"two ports":             func(o *objects) { o.service.Spec.Ports = append(o.service.Spec.Ports, o.ops.Spec.Ports[0]) },
		"sticky sessions":       func(o *objects) { o.service.Spec.SessionAffinity = core.ServiceAffinityClientIP },
		"operations outside":    func(o *objects) { o.ops.Spec.Type = core.ServiceTypeNodePort },
	}},
	{"a policy lets in those who are named, and nobody at operations but who monitors", func(o *objects) (c complaints) {
		if o.network == nil {
			return nil
		}
		s := o.network.Spec
		c.add(!slices.Contains(s.PolicyTypes, networking.PolicyTypeIngress) || !slices.Contains(s.PolicyTypes, networking.PolicyTypeEgress), "it is about %v", s.PolicyTypes)
		at := map[int]int{}
		for _, r := range s.Ingress {
			c.add(len(r.From) == 0, "anybody at %v", r.Ports)
			c.add(slices.ContainsFunc(r.From, func(p networking.NetworkPolicyPeer) bool {
				return p.NamespaceSelector == nil && p.PodSelector == nil && p.IPBlock == nil
			}), "a peer without a name at %v", r.Ports)
			c.add(hasPort(r.Ports, public) && hasPort(r.Ports, operations), "the same may reach both ports")
			for _, port := range []int{public, operations} {
				if hasPort(r.Ports, port) {
					at[port]++
				}
			}
		}
		c.add(at[public] == 0, "nobody can call")
		c.add(o.monitor != nil && at[operations] == 0, "Prometheus cannot ask")
		return c
	}, map[string]func(*objects){
		"incoming only": func(o *objects) { o.network.Spec.PolicyTypes = o.network.Spec.PolicyTypes[:1] },
		"anybody":       func(o *objects) { o.network.Spec.Ingress[0].From = nil },
		"any port":      func(o *objects) { o.network.Spec.Ingress[0].Ports = nil },
		"no caller":     func(o *objects) { o.network.Spec.Ingress = o.network.Spec.Ingress[1:2] },
		"no Prometheus": func(o *objects) { o.network.Spec.Ingress = o.network.Spec.Ingress[:1] },
		"a nameless peer": func(o *objects) {
			o.network.Spec.Ingress[1].From = append(o.network.Spec.Ingress[1].From, networking.NetworkPolicyPeer{})
		},
	}},
	{"a policy lets out to names, the database and the public, never to private networks at large", func(o *objects) (c complaints) {
		for _, p := range []*networking.NetworkPolicy{o.network, o.migrating} {
			if p == nil {
				continue
			}
			c.add(!slices.ContainsFunc(p.Spec.Egress, opens(5432)), "%s: no database", p.Name)
			c.add(!slices.ContainsFunc(p.Spec.Egress, opens(53)), "%s: no names", p.Name)
			for _, r := range p.Spec.Egress {
				c.add(len(r.Ports) == 0, "%s: any port", p.Name)
				if hasPort(r.Ports, 443) {
					c = append(c, guarded(p.Name, r.To)...)
				}
			}
		}
		if o.migrating != nil {
			c.add(slices.ContainsFunc(o.migrating.Spec.Egress, opens(443)), "the migration may call the public")
			c.add(len(o.migrating.Spec.Ingress) > 0 || !slices.Contains(o.migrating.Spec.PolicyTypes, networking.PolicyTypeIngress), "the migration may be called")
			c.add(o.migrating.Annotations[hook] != "pre-install,pre-upgrade" || o.migrating.Annotations[hook+"-weight"] != "-5" || o.migration == nil || o.migration.Annotations[hook+"-weight"] != "0", "the migration comes before its policy")
		}
		if o.network != nil {
			c.add(!slices.ContainsFunc(o.network.Spec.Egress, opens(443)), "the server cannot fetch keys or deliver notifications")
		}
		return c
	}, map[string]func(*objects){
		"no database": func(o *objects) { o.network.Spec.Egress = slices.Delete(o.network.Spec.Egress, 1, 2) },
		"no names":    func(o *objects) { o.migrating.Spec.Egress = o.migrating.Spec.Egress[1:] },
		"any port":    func(o *objects) { o.network.Spec.Egress[1].Ports = nil },
		"any address": func(o *objects) { o.network.Spec.Egress[2].To = nil },
		"the metadata service": func(o *objects) {
			o.network.Spec.Egress[2].To[0].IPBlock.Except = slices.Delete(o.network.Spec.Egress[2].To[0].IPBlock.Except, 3, 4)
		},
		"unique local addresses": func(o *objects) { o.network.Spec.Egress[2].To[1].IPBlock.Except = nil },
		"all pods": func(o *objects) {
			o.network.Spec.Egress[2].To[0] = networking.NetworkPolicyPeer{NamespaceSelector: &meta.LabelSelector{}}
		},
		"nothing public":          func(o *objects) { o.network.Spec.Egress = slices.Delete(o.network.Spec.Egress, 2, 3) },
		"a migration that calls":  func(o *objects) { o.migrating.Spec.Egress = o.network.Spec.Egress },
		"a migration that serves": func(o *objects) { o.migrating.Spec.Ingress = o.network.Spec.Ingress },
		"a policy that is late":   func(o *objects) { o.migrating.Annotations[hook+"-weight"] = "5" },
	}},
}

// private are addresses that no URL of a tenant or client may lead to.
var private = []string{"10.1.2.3", "100.64.1.1", "127.0.0.1", "169.254.169.254", "172.31.0.1", "192.168.1.1", "fd00::1", "fe80::1"}

// guarded finds private addresses among peers.
func guarded(policy string, peers []networking.NetworkPolicyPeer) (c complaints) {
	c.add(len(peers) == 0, "%s: any address", policy)
	for _, peer := range peers {
		if c.add(peer.IPBlock == nil, "%s: pods at large", policy); peer.IPBlock == nil {
			continue
		}
		within := func(cidr, address string) bool {
			p, err := netip.ParsePrefix(cidr)
			c.add(err != nil, "%s: %q is no network", policy, cidr)
			return err == nil && p.Contains(netip.MustParseAddr(address))
		}
		for _, a := range private {
			inside := within(peer.IPBlock.CIDR, a) && !slices.ContainsFunc(peer.IPBlock.Except, func(e string) bool { return within(e, a) })
			c.add(inside, "%s: %s", policy, a)
		}
	}
	return c
}

package check

import (
	"path"
	"regexp"
	"slices"
	"strconv"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The ports of the server.
const (
	public     = 8080
	operations = 8081
)

// stopping is how long the server may take to end, in seconds.
const stopping = 30

// serverRules are about the pods that serve.
var serverRules = []rule{
	{"the server has all it refuses to start without, in production", func(o *objects) (c complaints) {
		s := o.server()
		value := func(name string) string {
			if e := env(s, name); e != nil {
				return e.Value
			}
			return ""
		}
		c.add(!slices.Equal(s.Args, []string{"serve"}), "it runs %v", s.Args)
		c.add(value("CHANCERY_ENV") != "production", "it is not production")
		c.add(value("CHANCERY_PUBLIC_URL") == "", "it has no public URL")
		c.add(value("CHANCERY_TRUSTED_PROXIES") == "" && value("CHANCERY_TLS_CERT") == "", "nobody ends TLS")
		c.add(value("CHANCERY_LISTEN") != ":"+strconv.Itoa(public), "it listens at %s", value("CHANCERY_LISTEN"))
		c.add(value("CHANCERY_OPS_LISTEN") != ":"+strconv.Itoa(operations), "probes do not reach %s", value("CHANCERY_OPS_LISTEN"))
		e := env(s, "CHANCERY_DATABASE_URL")
		c.add(e == nil || e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil || e.ValueFrom.SecretKeyRef.Name == "" || e.ValueFrom.SecretKeyRef.Optional != nil, "it has no database")
		return c
	}, map[string]func(*objects){
		"another command":   func(o *objects) { o.server().Args = nil },
		"development":       func(o *objects) { env(o.server(), "CHANCERY_ENV").Value = "development" },
		"no public URL":     func(o *objects) { env(o.server(), "CHANCERY_PUBLIC_URL").Name = "X" },
		"nobody ends TLS":   func(o *objects) { env(o.server(), "CHANCERY_TRUSTED_PROXIES").Name = "X" },
		"another port":      func(o *objects) { env(o.server(), "CHANCERY_LISTEN").Value = ":80" },
		"only the loopback": func(o *objects) { env(o.server(), "CHANCERY_OPS_LISTEN").Value = "127.0.0.1:8081" },
		"an optional DSN": func(o *objects) {
			env(o.server(), "CHANCERY_DATABASE_URL").ValueFrom.SecretKeyRef.Optional = o.server().SecurityContext.ReadOnlyRootFilesystem
		},
	}},
	{"the key-encryption key is a file that the server alone reads", func(o *objects) (c complaints) {
		s := o.server()
		file := env(s, "CHANCERY_KEK_FILE")
		if c.add(file == nil, "no file is named"); file == nil {
			return c
		}
		found := false
		for _, m := range s.VolumeMounts {
			for _, v := range o.deployment.Spec.Template.Spec.Volumes {
				if v.Name != m.Name || v.Secret == nil {
					continue
				}
				c.add(v.Secret.DefaultMode == nil || *v.Secret.DefaultMode&^0o440 != 0, "the secret %s may be read by all", v.Secret.SecretName)
				for _, i := range v.Secret.Items {
					found = found || path.Join(m.MountPath, i.Path) == file.Value && v.Secret.SecretName != "" && (v.Secret.Optional == nil || !*v.Secret.Optional)
				}
			}
		}
		c.add(!found, "there is no %s", file.Value)
		return c
	}, map[string]func(*objects){
		"no file":        func(o *objects) { env(o.server(), "CHANCERY_KEK_FILE").Name = "X" },
		"another file":   func(o *objects) { env(o.server(), "CHANCERY_KEK_FILE").Value = "/kek" },
		"no secret":      func(o *objects) { o.deployment.Spec.Template.Spec.Volumes[0].Secret.SecretName = "" },
		"a file for all": func(o *objects) { *o.deployment.Spec.Template.Spec.Volumes[0].Secret.DefaultMode = 0o444 },
	}},
	{"liveness asks whether the process lives, readiness whether it can serve", func(o *objects) (c complaints) {
		s := o.server()
		port, at := probed(s, s.LivenessProbe)
		c.add(port != operations || at != "/healthz", "liveness asks %d%s", port, at)
		port, at = probed(s, s.ReadinessProbe)
		c.add(port != operations || at != "/readyz", "readiness asks %d%s", port, at)
		return c
	}, map[string]func(*objects){
		"no liveness":              func(o *objects) { o.server().LivenessProbe = nil },
		"liveness of the database": func(o *objects) { o.server().LivenessProbe.HTTPGet.Path = "/readyz" },
		"no readiness":             func(o *objects) { o.server().ReadinessProbe = nil },
		"readiness of the process": func(o *objects) { o.server().ReadinessProbe.HTTPGet.Path = "/healthz" },
		"the port for callers":     func(o *objects) { o.server().ReadinessProbe.HTTPGet.Port = atPort(public) },
		"a port that is not there": func(o *objects) { o.server().LivenessProbe.HTTPGet.Port = intstr.FromString("metrics") },
	}},
	{"a replica that cannot serve is left within 5 s, and restarted only after 20", func(o *objects) (c complaints) {
		r, l := o.server().ReadinessProbe, o.server().LivenessProbe
		if r == nil || l == nil {
			return complaints{"there is no probe"}
		}
		// Each try begins a period after the one before, or when that has timed out.
		left := r.PeriodSeconds + r.FailureThreshold*max(r.TimeoutSeconds, 1)
		c.add(left > 5, "left after %d s", left)
		c.add(l.PeriodSeconds*l.FailureThreshold < 20, "restarted after %d s", l.PeriodSeconds*l.FailureThreshold)
		return c
	}, map[string]func(*objects){
		"a long period":  func(o *objects) { o.server().ReadinessProbe.PeriodSeconds = 10 },
		"many tries":     func(o *objects) { o.server().ReadinessProbe.FailureThreshold = 3 },
		"a hasty end":    func(o *objects) { o.server().LivenessProbe.PeriodSeconds = 1 },
		"no probe":       func(o *objects) { o.server().LivenessProbe = nil },
		"a long timeout": func(o *objects) { o.server().ReadinessProbe.TimeoutSeconds = 5 },
	}},
	{"who routes hears of a replica's end before it ends, and there is time to end well", func(o *objects) (c complaints) {
		grace := o.deployment.Spec.Template.Spec.TerminationGracePeriodSeconds
		if c.add(grace == nil, "the time is not said"); grace == nil {
			return c
		}
		pause := int64(0)
		if l := o.server().Lifecycle; l != nil {
			c.add(l.PreStop == nil || l.PreStop.Sleep == nil, "the image has no shell to pause with")
			if l.PreStop != nil && l.PreStop.Sleep != nil {
				pause = l.PreStop.Sleep.Seconds
			}
		}
		c.add(pause == 0 && o.leastReplicas() > 1, "there is no pause")
		c.add(*grace < pause+stopping, "%d s are too few for a pause of %d s", *grace, pause)
		return c
	}, map[string]func(*objects){
		"no pause":        func(o *objects) { o.server().Lifecycle = nil },
		"a shell's pause": func(o *objects) { o.server().Lifecycle.PreStop.Sleep = nil },
		"too little time": func(o *objects) { *o.deployment.Spec.Template.Spec.TerminationGracePeriodSeconds = 30 },
		"no time said":    func(o *objects) { o.deployment.Spec.Template.Spec.TerminationGracePeriodSeconds = nil },
	}},
	{"a new release replaces replicas one by one, and none goes before another is ready", func(o *objects) (c complaints) {
		s := o.deployment.Spec.Strategy
		if c.add(s.Type != apps.RollingUpdateDeploymentStrategyType || s.RollingUpdate == nil, "it is %s", s.Type); s.RollingUpdate == nil {
			return c
		}
		c.add(s.RollingUpdate.MaxUnavailable.String() != "0", "%s go at once", s.RollingUpdate.MaxUnavailable)
		c.add(s.RollingUpdate.MaxSurge.String() == "0", "none may come")
		return c
	}, map[string]func(*objects){
		"all at once": func(o *objects) {
			o.deployment.Spec.Strategy = apps.DeploymentStrategy{Type: apps.RecreateDeploymentStrategyType}
		},
		"one goes":   func(o *objects) { *o.deployment.Spec.Strategy.RollingUpdate.MaxUnavailable = atPort(1) },
		"none comes": func(o *objects) { *o.deployment.Spec.Strategy.RollingUpdate.MaxSurge = atPort(0) },
	}},
	{"replicas are spread, each release by itself", func(o *objects) (c complaints) {
		spread := o.deployment.Spec.Template.Spec.TopologySpreadConstraints
		c.add(len(spread) == 0 && o.leastReplicas() > 1, "one node may have them all")
		for _, s := range spread {
			c.add(s.LabelSelector == nil || !contains(o.deployment.Spec.Template.Labels, s.LabelSelector.MatchLabels), "%s counts other pods", s.TopologyKey)
			c.add(!slices.Contains(s.MatchLabelKeys, "pod-template-hash"), "%s counts the release before as well", s.TopologyKey)
		}
		return c
	}, map[string]func(*objects){
		"no constraint":     func(o *objects) { o.deployment.Spec.Template.Spec.TopologySpreadConstraints = nil },
		"other pods":        func(o *objects) { o.deployment.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector = nil },
		"releases together": func(o *objects) { o.deployment.Spec.Template.Spec.TopologySpreadConstraints[0].MatchLabelKeys = nil },
	}},
	{"the collector of garbage knows the limit of memory", func(o *objects) (c complaints) {
		limit := o.server().Resources.Limits.Memory().Value()
		e := env(o.server(), "GOMEMLIMIT")
		if limit == 0 {
			c.add(e != nil, "there is none")
			return c
		}
		if c.add(e == nil, "it does not"); e == nil {
			return c
		}
		m := mebibytes.FindStringSubmatch(e.Value)
		if c.add(m == nil, "%s is no size", e.Value); m == nil {
			return c
		}
		n, err := strconv.ParseInt(m[1], 10, 64)
		c.add(err != nil || n<<20 >= limit || n<<20 < limit*8/10, "%s of %d bytes", e.Value, limit)
		return c
	}, map[string]func(*objects){
		"nothing said":    func(o *objects) { env(o.server(), "GOMEMLIMIT").Name = "X" },
		"another unit":    func(o *objects) { env(o.server(), "GOMEMLIMIT").Value = "921Mi" },
		"the whole limit": func(o *objects) { env(o.server(), "GOMEMLIMIT").Value = "1024MiB" },
		"no limit":        func(o *objects) { delete(o.server().Resources.Limits, core.ResourceMemory) },
	}},
}

var mebibytes = regexp.MustCompile(`^([0-9]+)MiB$`)

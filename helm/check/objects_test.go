package check

import (
	"errors"
	"slices"

	gateway "sigs.k8s.io/gateway-api/apis/v1"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// objects are what a chart renders, by kind. What there may be none of is nil.
type objects struct {
	all        []named
	deployment *apps.Deployment
	migration  *batch.Job
	service    *core.Service // for callers
	ops        *core.Service // for Prometheus
	account    *core.ServiceAccount
	ingress    *networking.Ingress
	route      *gateway.HTTPRoute
	autoscaler *autoscaling.HorizontalPodAutoscaler
	budget     *policy.PodDisruptionBudget
	network    *networking.NetworkPolicy // of the servers
	migrating  *networking.NetworkPolicy // of the migration
	monitor    *monitoring.ServiceMonitor
	alerts     *monitoring.PrometheusRule
	dashboard  *core.ConfigMap
}

// named is any object.
type named interface {
	runtime.Object
	meta.Object
}

// pod is a template of pods, with what it is called.
type pod struct {
	name string
	*core.PodTemplateSpec
}

const hook = "helm.sh/hook"

func (o *objects) add(object runtime.Object) error {
	n, ok := object.(named)
	if !ok {
		return errors.New("is not expected")
	}
	o.all = append(o.all, n)
	switch x := object.(type) {
	case *apps.Deployment:
		return set(&o.deployment, x)
	case *batch.Job:
		return set(&o.migration, x)
	case *core.Service:
		if x.Spec.ClusterIP == core.ClusterIPNone {
			return set(&o.ops, x)
		}
		return set(&o.service, x)
	case *core.ServiceAccount:
		return set(&o.account, x)
	case *networking.Ingress:
		return set(&o.ingress, x)
	case *gateway.HTTPRoute:
		return set(&o.route, x)
	case *autoscaling.HorizontalPodAutoscaler:
		return set(&o.autoscaler, x)
	case *policy.PodDisruptionBudget:
		return set(&o.budget, x)
	case *networking.NetworkPolicy:
		if x.Annotations[hook] != "" {
			return set(&o.migrating, x)
		}
		return set(&o.network, x)
	case *monitoring.ServiceMonitor:
		return set(&o.monitor, x)
	case *monitoring.PrometheusRule:
		return set(&o.alerts, x)
	case *core.ConfigMap:
		return set(&o.dashboard, x)
	}
	return errors.New("is not expected")
}

func set[T any](at **T, x *T) error {
	if *at != nil {
		return errors.New("is there twice")
	}
	*at = x
	return nil
}

// names are kind and name of every object, in order.
func (o *objects) names() []string {
	var all []string
	for _, n := range o.all {
		all = append(all, n.GetObjectKind().GroupVersionKind().Kind+"/"+n.GetName())
	}
	slices.Sort(all)
	return all
}

// pods are the pods that the chart makes.
func (o *objects) pods() []pod {
	ps := []pod{{"server", &o.deployment.Spec.Template}}
	if o.migration != nil {
		ps = append(ps, pod{"migration", &o.migration.Spec.Template})
	}
	return ps
}

// server is the server's container.
func (o *objects) server() *core.Container { return &o.deployment.Spec.Template.Spec.Containers[0] }

// leastReplicas is how few servers there may be.
func (o *objects) leastReplicas() int {
	switch {
	case o.autoscaler != nil && o.autoscaler.Spec.MinReplicas != nil:
		return int(*o.autoscaler.Spec.MinReplicas)
	case o.autoscaler == nil && o.deployment.Spec.Replicas != nil:
		return int(*o.deployment.Spec.Replicas)
	}
	return 1
}

// env is the container's variable of that name, or nil.
func env(c *core.Container, name string) *core.EnvVar {
	if i := slices.IndexFunc(c.Env, func(e core.EnvVar) bool { return e.Name == name }); i >= 0 {
		return &c.Env[i]
	}
	return nil
}

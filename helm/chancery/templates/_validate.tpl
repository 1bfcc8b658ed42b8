{{/* What a schema cannot say, in words. */}}
{{- define "chancery.validate" -}}
{{- $v := .Values }}
{{- range $name, $value := dict
  "image.repository" $v.image.repository
  "publicURL" $v.publicURL
  "database.existingSecret" $v.database.existingSecret
  "kek.existingSecret" $v.kek.existingSecret }}
{{- if not $value }}
{{- fail (printf "%s has to be given; README.md says what it is" $name) }}
{{- end }}
{{- end }}
{{- if not (or $v.trustedProxies $v.tls.existingSecret) }}
{{- fail "name the networks of the proxy that ends TLS in trustedProxies, or a certificate in tls.existingSecret" }}
{{- end }}
{{- if and $v.networkPolicy.enabled (not $v.networkPolicy.from) }}
{{- fail "name who may call the server in networkPolicy.from (the pods of your ingress controller or gateway), or set networkPolicy.enabled=false" }}
{{- end }}
{{- if and $v.serviceMonitor.enabled $v.networkPolicy.enabled (not $v.networkPolicy.monitoringFrom) }}
{{- fail "serviceMonitor.enabled, but networkPolicy.monitoringFrom does not let Prometheus reach the metrics" }}
{{- end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}
{{- fail "name the gateway in httpRoute.parentRefs" }}
{{- end }}
{{- $least := include "chancery.leastReplicas" . | int }}
{{- if and $v.autoscaling.enabled (gt $least (int $v.autoscaling.maxReplicas)) }}
{{- fail "autoscaling.minReplicas is greater than autoscaling.maxReplicas" }}
{{- end }}
{{- if and $v.autoscaling.enabled (not (dig "requests" "cpu" "" $v.resources)) }}
{{- fail "autoscaling measures CPU against resources.requests.cpu, which is missing" }}
{{- end }}
{{- $out := toString $v.podDisruptionBudget.maxUnavailable }}
{{- if and $v.podDisruptionBudget.enabled (gt $least 1) (not (hasSuffix "%" $out)) (ge (int $out) $least) }}
{{- fail (printf "podDisruptionBudget.maxUnavailable=%s would let all %d replicas go at once" $out $least) }}
{{- end }}
{{- end }}

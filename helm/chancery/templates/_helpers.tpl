{{- define "chancery.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for a suffix such as -migrate. */}}
{{- define "chancery.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "chancery.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "chancery.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What selects pods; the component tells servers from migrations. Fixed for the life of a release. */}}
{{- define "chancery.instance" -}}
app.kubernetes.io/name: {{ include "chancery.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "chancery.serverSelector" -}}
{{ include "chancery.instance" . }}
app.kubernetes.io/component: server
{{- end }}

{{- define "chancery.migrationSelector" -}}
{{ include "chancery.instance" . }}
app.kubernetes.io/component: migration
{{- end }}

{{/* Labels of an object: (list $ more), of which more is the user's, or empty. A component is added where it matters. */}}
{{- define "chancery.labelsWith" -}}
{{- $ := first . }}
{{- include "chancery.podLabelsWith" . }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" | trunc 63 | trimAll "-._" }}
{{- end }}

{{- define "chancery.labels" -}}
{{- include "chancery.labelsWith" (list . dict) }}
{{- end }}

{{/* The same for pods, which an upgrade of the chart alone need not replace. */}}
{{- define "chancery.podLabelsWith" -}}
{{- $ := first . }}
{{- include "chancery.instance" $ }}
app.kubernetes.io/version: {{ $.Values.image.tag | default $.Chart.AppVersion | trunc 63 | trimAll "-._" | quote }}
app.kubernetes.io/part-of: chancery
{{- with merge (dict) (last .) $.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "chancery.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "chancery.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "chancery.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{/* A service account of this release is not there yet when the first migration runs. */}}
{{- define "chancery.migrationServiceAccountName" -}}
{{- if .Values.migrations.serviceAccountName -}}
{{ .Values.migrations.serviceAccountName }}
{{- else if .Values.serviceAccount.create -}}
default
{{- else -}}
{{ include "chancery.serviceAccountName" . }}
{{- end -}}
{{- end }}

{{/* Where the outside sees the server, without port. */}}
{{- define "chancery.host" -}}
{{- (urlParse .Values.publicURL).hostname }}
{{- end }}

{{- define "chancery.databaseEnv" -}}
- name: CHANCERY_ENV
  value: production
- name: CHANCERY_DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ .Values.database.existingSecret | quote }}, key: {{ .Values.database.urlKey | quote }}}
{{- with .Values.database.listenURLKey }}
- name: CHANCERY_LISTEN_DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ $.Values.database.existingSecret | quote }}, key: {{ . | quote }}}
{{- end }}
{{- end }}

{{- define "chancery.podSecurityContext" -}}
runAsNonRoot: true
{{- range $name, $id := .Values.podSecurityContext }}
{{- if $id }}
{{ $name }}: {{ int64 $id }}
{{- end }}
{{- end }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "chancery.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Where and how pods are scheduled. */}}
{{- define "chancery.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Nine tenths of the memory limit, so that the collector works harder before the kernel ends the process. */}}
{{- define "chancery.memoryLimit" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString -}}
{{- if regexMatch "^[0-9]+Mi$" $limit -}}
{{ div (mul (trimSuffix "Mi" $limit | int64) 9) 10 }}MiB
{{- else if regexMatch "^[0-9]+Gi$" $limit -}}
{{ div (mul (trimSuffix "Gi" $limit | int64) 9216) 10 }}MiB
{{- end -}}
{{- end }}

{{/* How few replicas there may be. */}}
{{- define "chancery.leastReplicas" -}}
{{- ternary .Values.autoscaling.minReplicas .Values.replicaCount .Values.autoscaling.enabled }}
{{- end }}

{{/* What Prometheus knows the replicas by: the service that it finds them through. */}}
{{- define "chancery.prometheusSelector" -}}
{{- .Values.prometheusRule.selector | default (printf "namespace=%q,job=%q" .Release.Namespace (printf "%s-ops" (include "chancery.fullname" .))) }}
{{- end }}

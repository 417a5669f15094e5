{{/* Names, labels and images. */}}

{{- define "warpproxy.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 40 characters leave room for what is put behind it. */}}
{{- define "warpproxy.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "warpproxy.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "warpproxy.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: warpproxy
{{ include "warpproxy.commonSelector" . }}
{{- end -}}

{{- define "warpproxy.commonSelector" -}}
app.kubernetes.io/name: {{ include "warpproxy.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels that select the pods of a component; called with a list of root and component. */}}
{{- define "warpproxy.selector" -}}
{{ include "warpproxy.commonSelector" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* An image's reference; called with a list of root and image. */}}
{{- define "warpproxy.image" -}}
{{- $image := index . 1 -}}
{{- $tag := default (index . 0).Chart.AppVersion $image.tag -}}
{{- if $image.digest -}}
{{- printf "%s:%s@%s" $image.repository $tag $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository $tag -}}
{{- end -}}
{{- end -}}

{{- define "warpproxy.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "warpproxy.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The Secret of the shared ticket keys; empty when each process has keys of its own. */}}
{{- define "warpproxy.ticketsSecret" -}}
{{- if .Values.tickets.secretName -}}
{{- .Values.tickets.secretName -}}
{{- else if .Values.tickets.create -}}
{{- include "warpproxy.fullname" . }}-tickets
{{- end -}}
{{- end -}}

{{/* Folder of the socket on the node. Neither name may have an underscore, so that no two releases have one folder. */}}
{{- define "warpproxy.nodeFolder" -}}
{{- default (printf "/run/warpproxy/%s_%s" .Release.Namespace (include "warpproxy.fullname" .)) .Values.device.node.hostPath -}}
{{- end -}}

{{/*
The ConfigMap of the configuration. Its name ends with the sum of what the configuration shares with the pod: ports, device, mounted files. When that changes, pods that run keep
the ConfigMap that fits them, and new pods have one of another name; all else changes in the same one, and is taken into use where it is.
*/}}
{{- define "warpproxy.configMap" -}}
{{- $values := .Values -}}
{{- $secrets := list -}}
{{- range $values.certificates -}}{{- $secrets = append $secrets .secretName -}}{{- end -}}
{{- $ports := dict "https" $values.https.port "metrics" $values.metrics.port -}}
{{- if $values.http.enabled -}}{{- $_ := set $ports "http" $values.http.port -}}{{- end -}}
{{- $device := dict "mode" $values.device.mode -}}
{{- if eq $values.device.mode "hardware" -}}
{{- $_ := set $device "files" (list $values.device.hardware.resource $values.device.hardware.hostPaths) -}}
{{- else if eq $values.device.mode "node" -}}
{{- $_ := set $device "files" (include "warpproxy.nodeFolder" .) -}}
{{- end -}}
{{- $bound := dict
    "ports" $ports
    "device" $device
    "certificates" (sortAlpha $secrets)
    "tickets" (include "warpproxy.ticketsSecret" .)
    "volumes" (list $values.extraVolumes $values.extraVolumeMounts) -}}
{{- printf "%s-%s" (include "warpproxy.fullname" .) ($bound | toJson | sha256sum | trunc 8) -}}
{{- end -}}

{{/* Each certificate is a folder in it with the name of its Secret, which is also the certificate's name in the proxy's log, status and metrics. */}}
{{- define "warpproxy.certificateFolder" -}}/etc/warpproxy/certs{{- end -}}

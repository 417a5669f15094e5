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

{{/* Folder of the socket on the node. */}}
{{- define "warpproxy.nodeFolder" -}}
{{- default (printf "/run/warpproxy/%s-%s" .Release.Namespace (include "warpproxy.fullname" .)) .Values.device.node.hostPath -}}
{{- end -}}

{{/* Each certificate is a folder in it with the name of its Secret, which is also the certificate's name in the proxy's log, status and metrics. */}}
{{- define "warpproxy.certificateFolder" -}}/etc/warpproxy/certs{{- end -}}

{{/*
The proxy's configuration, made of the values: sections of the chart's own, and over them those of the value config.
Called for the ConfigMap, and for the annotation that restarts pods when a setting changes that the proxy reads at its start alone.
*/}}
{{- define "warpproxy.config" -}}
{{- $values := .Values -}}
{{- $https := dict "Url" (printf "https://*:%v" $values.https.port) -}}
{{- $http := dict "Url" (printf "http://*:%v" $values.http.port) -}}
{{- if $values.http.redirect -}}
{{- $_ := set $http "RedirectToHttps" (toString $values.service.httpsPort) -}}
{{- end -}}
{{- if $values.proxyProtocol.enabled -}}
{{- range $listener := list $https $http -}}
{{- $_ := set $listener "ProxyProtocol" "required" -}}
{{- $_ := set $listener "ProxyProtocolFrom" $values.proxyProtocol.from -}}
{{- end -}}
{{- end -}}

{{- $certificates := dict -}}
{{- $names := list -}}
{{- range $values.certificates -}}
{{- $folder := printf "%s/%s" (include "warpproxy.certificateFolder" $) .secretName -}}
{{- $certificate := dict "File" (printf "%s/tls.crt" $folder) "KeyFile" (printf "%s/tls.key" $folder) -}}
{{- with .path -}}{{- $_ := set $certificate "Path" . -}}{{- end -}}
{{- with .fallback -}}{{- $_ := set $certificate "Fallback" . -}}{{- end -}}
{{- $_ := set $certificates .secretName $certificate -}}
{{- $names = append $names .secretName -}}
{{- end -}}
{{- if $names -}}
{{- $_ := set $https "Certificates" $names -}}
{{- end -}}

{{- $listeners := dict "https" (mergeOverwrite $https $values.https.settings) -}}
{{- if $values.http.enabled -}}
{{- $_ := set $listeners "http" (mergeOverwrite $http $values.http.settings) -}}
{{- end -}}

{{- $config := dict
    "Server" (dict "Admin" "http://127.0.0.1:9901" "Metrics" (printf "http://*:%v" $values.metrics.port))
    "Listeners" $listeners
    "Offload" (include "warpproxy.offload" . | fromJson)
    "Shutdown" (dict "Drain" (include "warpproxy.time" $values.shutdown.drainSeconds)) -}}
{{- if $certificates -}}{{- $_ := set $config "Certificates" $certificates -}}{{- end -}}
{{- if include "warpproxy.ticketsSecret" . -}}
{{- $_ := set $config "Tickets" (dict "Directory" "/etc/warpproxy/tickets" "Lifetime" $values.tickets.lifetime) -}}
{{- end -}}
{{- with $values.limits.maxConnections -}}
{{- $_ := set $config "Limits" (dict "MaxConnections" (int .)) -}}
{{- end -}}
{{- with $values.telemetry -}}
{{- if .endpoint -}}
{{- $_ := set $config "Telemetry" (dict "Endpoint" .endpoint "Protocol" .protocol "Sampling" .sampling) -}}
{{- end -}}
{{- end -}}
{{- with $values.reverseProxy -}}{{- $_ := set $config "ReverseProxy" . -}}{{- end -}}
{{- mergeOverwrite $config (deepCopy $values.config) | toPrettyJson -}}
{{- end -}}

{{- define "warpproxy.offload" -}}
{{- $device := .Values.device -}}
{{- $offload := dict "Path" $device.path "QueuesPerDevice" $device.queues -}}
{{- if eq $device.mode "embedded" -}}
{{- $_ := set $offload "Devices" (list "embedded:") -}}
{{- with $device.engines -}}{{- $_ := set $offload "Engines" . -}}{{- end -}}
{{- else if eq $device.mode "hardware" -}}
{{- $_ := set $offload "Devices" (list $device.hardware.uri) -}}
{{- else if eq $device.mode "none" -}}
{{- $_ := set $offload "Devices" (list "none") -}}
{{- $_ := set $offload "Path" "software" -}}
{{- else -}}
{{- $_ := set $offload "Devices" (list "emulator:/run/warp/device.sock") -}}
{{- end -}}
{{- if .Values.lockedMemory.required -}}{{- $_ := set $offload "RequireLockedMemory" true -}}{{- end -}}
{{- toJson $offload -}}
{{- end -}}

{{/* Seconds as the proxy writes times. */}}
{{- define "warpproxy.time" -}}
{{- $seconds := int . -}}
{{- printf "%02d:%02d:%02d" (div $seconds 3600) (mod (div $seconds 60) 60) (mod $seconds 60) -}}
{{- end -}}

{{/* Settings that are read at the start alone (docs/reload.md "What changes when"): all others change without a restart. */}}
{{- define "warpproxy.startSettings" -}}
{{- $config := include "warpproxy.config" . | fromJson -}}
{{- dict
    "Server" (get $config "Server")
    "Telemetry" (default dict (get $config "Telemetry"))
    "Tls" (pick (default dict (get $config "Tls")) "Lanes" "MaxWaiting" "LaneTimeout")
    "Limits" (pick (default dict (get $config "Limits")) "Backlog")
    "Offload" (pick (get $config "Offload") "DevDirectory" "SysDirectory") | toJson -}}
{{- end -}}

{{/* What the schema cannot say: values that do not go together. Each mistake is one sentence. */}}
{{- define "warpproxy.check" -}}
{{- $values := .Values -}}
{{- if and (eq $values.kind "DaemonSet") $values.autoscaling.enabled -}}
{{- fail "autoscaling.enabled is true, but kind is DaemonSet, which has one pod on each node; set kind: Deployment." -}}
{{- end -}}
{{- with $values.autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "autoscaling.minReplicas is %v; it must be at most autoscaling.maxReplicas, which is %v." .minReplicas .maxReplicas) -}}
{{- end -}}
{{- if and .enabled (not .handshakesPerSecond) (not .cpuUtilization) -}}
{{- fail "autoscaling.enabled is true, but neither autoscaling.handshakesPerSecond nor autoscaling.cpuUtilization is set." -}}
{{- end -}}
{{- end -}}
{{- with $values.device.hardware -}}
{{- if eq $values.device.mode "hardware" -}}
{{- if and (not .resource) (not .hostPaths) -}}
{{- fail "device.mode is hardware, but neither device.hardware.resource (a device plugin's) nor device.hardware.hostPaths is set." -}}
{{- end -}}
{{- if and .resource .hostPaths -}}
{{- fail "device.hardware.resource and device.hardware.hostPaths are both set; a device comes one way." -}}
{{- end -}}
{{- if and .hostPaths (not .privileged) -}}
{{- fail "device.hardware.hostPaths needs device.hardware.privileged: true, since Kubernetes lets no other container open a device's file that is mounted; device.hardware.resource does without." -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $values.device.mode "node") (not $values.device.node.deploy) (not $values.device.node.hostPath) -}}
{{- fail "device.node.deploy is false; set device.node.hostPath to the folder of the emulator that another release brings." -}}
{{- end -}}
{{- if and (eq $values.device.mode "sidecar") (lt (int $values.emulator.queues) (int $values.device.queues)) -}}
{{- fail (printf "emulator.queues is %v; it must be at least device.queues, which is %v." $values.emulator.queues $values.device.queues) -}}
{{- end -}}
{{- $seen := dict -}}
{{- $devicePath := default $values.device.path (get (default dict (get $values.config "Offload")) "Path") | lower -}}
{{- range $values.certificates -}}
{{- if hasKey $seen .secretName -}}
{{- fail (printf "certificates has the Secret '%s' twice; name it once, with all the names that are in it." .secretName) -}}
{{- end -}}
{{- $_ := set $seen .secretName true -}}
{{- if eq (default "software" .fallback) "none" -}}
{{- if eq $values.device.mode "none" -}}
{{- fail (printf "certificates has fallback none for '%s', but device.mode is none; without a device it must be software." .secretName) -}}
{{- end -}}
{{- $path := default $devicePath .path -}}
{{- if has $path (list "software" "compare") -}}
{{- fail (printf "certificates has fallback none for '%s', whose path is %s; with that path it must be software." .secretName $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $values.certManager.enabled (not $values.certManager.issuerRef.name) -}}
{{- fail "certManager.enabled is true, but certManager.issuerRef.name is empty; name an issuer." -}}
{{- end -}}
{{- if and $values.tickets.secretName $values.tickets.create -}}
{{- fail "tickets.secretName and tickets.create are both set; the keys come from one Secret." -}}
{{- end -}}
{{- if and $values.tickets.rotation.enabled (not (include "warpproxy.ticketsSecret" .)) -}}
{{- fail "tickets.rotation.enabled is true, but there are no shared keys; set tickets.create: true or tickets.secretName." -}}
{{- end -}}
{{- if and $values.proxyProtocol.enabled (not $values.proxyProtocol.from) -}}
{{- fail "proxyProtocol.enabled is true, but proxyProtocol.from is empty; name the networks of the load balancer, or 0.0.0.0/0 and ::/0 for all." -}}
{{- end -}}
{{- $ports := list $values.https.port $values.metrics.port 9901 -}}
{{- if $values.http.enabled -}}{{- $ports = append $ports $values.http.port -}}{{- end -}}
{{- if ne (len (uniq (mustToJson $ports | fromJsonArray))) (len $ports) -}}
{{- fail (printf "https.port is %v, http.port %v and metrics.port %v; each must be another, and none may be 9901, the admin listener's." $values.https.port $values.http.port $values.metrics.port) -}}
{{- end -}}
{{- $config := $values.config -}}
{{- range $section, $_ := $config -}}
{{- if not (regexMatch "^[A-Z]" $section) -}}
{{- fail (printf "config.%s is no section of the proxy's configuration; sections begin with a capital letter, such as Offload or Limits." $section) -}}
{{- end -}}
{{- end -}}
{{- if hasKey $config "Shutdown" -}}
{{- fail "config.Shutdown is set; the pod's end goes with it, so that shutdown.drainSeconds says it." -}}
{{- end -}}
{{- range $name := list "Urls" "Admin" "Metrics" -}}
{{- if hasKey (default dict (get $config "Server")) $name -}}
{{- fail (printf "config.Server.%s is set; https.port, http.port and metrics.port say where the proxy listens, and the admin listener stays on the pod's loopback." $name) -}}
{{- end -}}
{{- end -}}
{{- range $listener, $settings := default dict (get $config "Listeners") -}}
{{- if and (has $listener (list "https" "http")) (hasKey $settings "Url") -}}
{{- fail (printf "config.Listeners.%s.Url is set; %s.port says where it listens." $listener $listener) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The proxy's pod, of the Deployment and of the DaemonSet. */}}
{{- define "warpproxy.podTemplate" -}}
{{- $values := .Values -}}
{{- $hardware := $values.device.hardware -}}
{{- $isHardware := eq $values.device.mode "hardware" -}}
{{- $tickets := include "warpproxy.ticketsSecret" . -}}
{{- $preStop := include "warpproxy.preStopSeconds" . | int -}}
metadata:
  labels:
    {{- include "warpproxy.labels" . | nindent 4 }}
    app.kubernetes.io/component: proxy
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Only of what the proxy reads at its start: it takes all other changes of its configuration into use by itself.
    checksum/start-settings: {{ include "warpproxy.startSettings" . | sha256sum }}
    kubectl.kubernetes.io/default-container: warpproxy
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "warpproxy.serviceAccountName" . }}
  automountServiceAccountToken: false
  # Else each Service's variables begin with its name, and WARPPROXY_ is where settings begin.
  enableServiceLinks: false
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  # The sleep before SIGTERM, draining, and ten seconds: docs/shutdown.md says five.
  terminationGracePeriodSeconds: {{ add $preStop $values.shutdown.drainSeconds 10 }}
  securityContext:
    {{- include "warpproxy.podSecurity" . | nindent 4 }}
    {{- if and $isHardware $hardware.groups }}
    supplementalGroups:
      {{- toYaml $hardware.groups | nindent 6 }}
    {{- end }}
  {{- if eq $values.device.mode "sidecar" }}
  initContainers:
    # A container of this kind that is always restarted starts before the proxy, stays, and ends after it.
    - name: emulator
      restartPolicy: Always
      {{- include "warpproxy.emulatorContainer" . | nindent 6 }}
  {{- end }}
  containers:
    - name: warpproxy
      image: {{ include "warpproxy.image" (list . $values.image) }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: [ "--config", "/etc/warpproxy/config/proxy.json" ]
      env:
        - name: XDG_DATA_HOME
          value: /var/lib
        - name: XDG_CACHE_HOME
          value: /var/cache
        - name: DOTNET_EnableDiagnostics
          value: "0"
        - name: POD_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        - name: POD_NAMESPACE
          valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
        - name: NODE_NAME
          valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
        - name: OTEL_RESOURCE_ATTRIBUTES
          value: k8s.pod.name=$(POD_NAME),k8s.namespace.name=$(POD_NAMESPACE),k8s.node.name=$(NODE_NAME)
        {{- with $values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - { name: https, containerPort: {{ $values.https.port }}, protocol: TCP }
        {{- if $values.http.enabled }}
        - { name: http, containerPort: {{ $values.http.port }}, protocol: TCP }
        {{- end }}
        - { name: metrics, containerPort: {{ $values.metrics.port }}, protocol: TCP }
      startupProbe:
        httpGet: { path: /healthz, port: metrics }
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /healthz, port: metrics }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: metrics }
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      {{- if $preStop }}
      lifecycle:
        preStop:
          sleep: { seconds: {{ $preStop }} }
      {{- end }}
      resources:
        {{- $resources := deepCopy $values.resources }}
        {{- if and $isHardware $hardware.resource }}
        {{- $resources = mergeOverwrite $resources (dict "limits" (dict $hardware.resource $hardware.count)) }}
        {{- end }}
        {{- toYaml $resources | nindent 8 }}
      securityContext:
        {{- if and $isHardware $hardware.privileged }}
        privileged: true
        readOnlyRootFilesystem: true
        {{- else }}
        {{- include "warpproxy.containerSecurity" . | nindent 8 }}
        {{- end }}
      volumeMounts:
        - { name: config, mountPath: /etc/warpproxy/config, readOnly: true }
        {{- if $values.certificates }}
        - { name: certs, mountPath: {{ include "warpproxy.certificateFolder" . }}, readOnly: true }
        {{- end }}
        {{- if $tickets }}
        - { name: tickets, mountPath: /etc/warpproxy/tickets, readOnly: true }
        {{- end }}
        {{- if has $values.device.mode (list "sidecar" "node") }}
        # A socket can be connected to where nothing can be written.
        - { name: warp, mountPath: /run/warp, readOnly: true }
        {{- end }}
        {{- if $isHardware }}
        {{- range $index, $path := $hardware.hostPaths }}
        - { name: device-{{ $index }}, mountPath: {{ $path }} }
        {{- end }}
        {{- end }}
        - { name: data, mountPath: /var/lib/warpproxy }
        - { name: cache, mountPath: /var/cache/warpproxy }
        - { name: tmp, mountPath: /tmp }
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap: { name: {{ include "warpproxy.configMap" . }} }
    {{- if $values.certificates }}
    - name: certs
      projected:
        defaultMode: 0440
        sources:
          {{- range $values.certificates }}
          - secret:
              name: {{ .secretName }}
              items:
                - { key: tls.crt, path: {{ .secretName }}/tls.crt }
                - { key: tls.key, path: {{ .secretName }}/tls.key }
          {{- end }}
    {{- end }}
    {{- if $tickets }}
    - name: tickets
      secret: { secretName: {{ $tickets }}, defaultMode: 0440 }
    {{- end }}
    {{- if eq $values.device.mode "sidecar" }}
    - name: warp
      emptyDir: { sizeLimit: 1Mi }
    {{- else if eq $values.device.mode "node" }}
    - name: warp
      hostPath: { path: {{ include "warpproxy.nodeFolder" . }}, type: {{ $values.device.node.deploy | ternary "DirectoryOrCreate" "Directory" }} }
    {{- end }}
    {{- if $isHardware }}
    {{- range $index, $path := $hardware.hostPaths }}
    - name: device-{{ $index }}
      hostPath: { path: {{ $path }}, type: CharDevice }
    {{- end }}
    {{- end }}
    - name: data
      emptyDir: { sizeLimit: 16Mi }
    - name: cache
      emptyDir: { sizeLimit: 16Mi }
    - name: tmp
      emptyDir: { sizeLimit: 64Mi }
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq $values.kind "Deployment" }}
  topologySpreadConstraints:
    {{- if $values.topologySpreadConstraints }}
    {{- toYaml $values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "warpproxy.selector" (list $ "proxy") | nindent 10 }}
    {{- end }}
    {{- end }}
  {{- end }}
{{- end -}}

{{- define "warpproxy.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- with .Values.seLinuxOptions }}
seLinuxOptions:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* How long a pod serves on: within a cluster everybody learns at once that it goes, a load balancer by asking now and then. */}}
{{- define "warpproxy.preStopSeconds" -}}
{{- if kindIs "invalid" .Values.shutdown.preStopSeconds -}}
{{- ternary 10 40 (eq .Values.service.type "ClusterIP") -}}
{{- else -}}
{{- .Values.shutdown.preStopSeconds -}}
{{- end -}}
{{- end -}}

{{- define "warpproxy.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ ALL ]
  {{- if .Values.lockedMemory.ipcLock }}
  add: [ IPC_LOCK ]
  {{- end }}
{{- end -}}

{{/* The emulator, as a sidecar and on the nodes: all but the name. */}}
{{- define "warpproxy.emulatorContainer" -}}
{{- $emulator := .Values.emulator -}}
image: {{ include "warpproxy.image" (list . $emulator.image) }}
imagePullPolicy: {{ $emulator.image.pullPolicy }}
args:
  - --socket
  - /run/warp/device.sock
  - --engines
  - {{ $emulator.engines | quote }}
  - --queues
  - {{ $emulator.queues | quote }}
  {{- if .Values.lockedMemory.required }}
  - --require-locked-memory
  {{- end }}
  {{- range $emulator.extraArgs }}
  - {{ . | quote }}
  {{- end }}
env:
  - name: XDG_CACHE_HOME
    value: /var/cache
  - name: DOTNET_EnableDiagnostics
    value: "0"
# A proxy that is beside it starts when the device answers.
startupProbe:
  exec: { command: [ /app/warp-emulator, probe, /run/warp/device.sock ] }
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 30
livenessProbe:
  exec: { command: [ /app/warp-emulator, probe, /run/warp/device.sock ] }
  periodSeconds: 30
  timeoutSeconds: 5
  failureThreshold: 4
resources:
  {{- toYaml $emulator.resources | nindent 2 }}
securityContext:
  {{- include "warpproxy.containerSecurity" . | nindent 2 }}
volumeMounts:
  - { name: warp, mountPath: /run/warp }
  - { name: cache, mountPath: /var/cache/warpproxy }
  - { name: tmp, mountPath: /tmp }
{{- end -}}

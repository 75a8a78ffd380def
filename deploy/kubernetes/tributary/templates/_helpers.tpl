{{- define "tributary.name" -}}
{{- if contains "tributary" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-tributary{{ end }}
{{- end }}

{{- /* The name is fixed: rules and dashboard know the job "tributary" by it. */ -}}
{{- define "tributary.selector" -}}
app.kubernetes.io/name: tributary
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tributary.labels" -}}
{{ include "tributary.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "tributary.metadata" -}}
name: {{ include "tributary.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "tributary.labels" . | nindent 2 }}
{{- end }}

{{- /* One of the pod's two containers. `of` holds its values, `limit` and `listen` name its settings. */ -}}
{{- define "tributary.container" -}}
{{- $values := .root.Values -}}
- name: {{ .name }}
  image: "{{ $values.image.repository }}:{{ $values.image.tag | default .root.Chart.AppVersion }}"
  imagePullPolicy: {{ $values.image.pullPolicy }}
  args: [{{ join ", " .args }}]
  env:
    - name: {{ .listen }}
      value: "0.0.0.0:{{ .of.port }}"
    - name: {{ .limit }}
      value: "{{ .of.memoryMiB }} mb"
    - name: TRIBUTARY_JOB__DRAIN_DEADLINE
      value: "{{ $values.drainDeadlineSeconds }} s"
    {{- range $name, $value := $values.environment }}
    - name: {{ $name }}
      value: {{ $value | quote }}
    {{- end }}
  {{- with $values.secret }}
  envFrom:
    - secretRef:
        name: {{ . }}
  {{- end }}
  ports:
    - name: {{ .port }}
      containerPort: {{ .of.port }}
  resources:
    requests:
      cpu: {{ .of.cpu }}
      memory: {{ add .of.memoryMiB .of.overheadMiB }}Mi
    limits:
      memory: {{ add .of.memoryMiB .of.overheadMiB }}Mi
  startupProbe:
    httpGet: {path: /livez, port: {{ .port }}}
    periodSeconds: 2
    failureThreshold: {{ div (add $values.startupSeconds 1) 2 }}
  livenessProbe:
    httpGet: {path: /livez, port: {{ .port }}}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  # Nothing is sent to the pod, so readiness only shows; a rollout waits for it.
  readinessProbe:
    httpGet: {path: /readyz, port: {{ .port }}}
    periodSeconds: 5
    timeoutSeconds: 3
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
  volumeMounts:
    - name: config
      mountPath: /etc/tributary
      readOnly: true
    {{- if $values.secret }}
    - name: secret
      mountPath: /run/secrets/tributary
      readOnly: true
    {{- end }}
    {{- if .of.scratch }}
    - name: scratch
      mountPath: /data
    {{- end }}
{{- end }}

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

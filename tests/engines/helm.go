helm.sh/helm/v3/cmd/helm@v3.22.0

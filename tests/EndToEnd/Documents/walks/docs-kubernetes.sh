PATH=$REPOSITORY/.ci/kubernetes/bin:$PATH
cd "$REPOSITORY"
block yaml 1 > "$WALK/here/site.yaml"
ln -s "$WALK/here/site.yaml" site.yaml
not_here 1.1 "no cluster; below without one, as far as Helm goes"
not_here 1.2 "no cluster"
not_here 2.1 "Helm may be missing; below where it is not"
not_here 3.1 "no cluster: the chart's tests ask a Prometheus the same"
if [ -x "$REPOSITORY/.ci/kubernetes/bin/helm" ]; then
    eval "$(text 1.1) --dry-run=client" > "$WALK/output" 2> "$WALK/errors"
    says "image: registry.example/warpproxy:"
    says "kubectl --namespace default port-forward service/warpproxy 8443:https"
    eval "$(text 2.1)" > "$WALK/output" 2> "$WALK/errors"
    says '"File": "/etc/warpproxy/certs/shop-tls/tls.crt"'
    says '"Address": "http://web.default.svc:5000/"'
fi

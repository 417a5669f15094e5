PATH=$REPOSITORY/.ci/kubernetes/bin:$PATH
cd "$REPOSITORY"
not_here 1.1 "no cluster; below without one, as far as Helm goes"
not_here 1.2 "no cluster"
if [ -x "$REPOSITORY/.ci/kubernetes/bin/helm" ]; then
    eval "$(text 1.1) --dry-run=client --set device.mode=sidecar" > "$WALK/output" 2> "$WALK/errors"
    says "image: registry.example/warpproxy:"
    says "image: registry.example/warp-emulator:"
fi

mkdir -p /run/secrets /etc/warpproxy
openssl rand -hex 32 > /run/secrets/admin-token
echo "127.0.0.1 proxy.internal" >> /etc/hosts
block json 2 > /etc/warpproxy/proxy.json
warpproxy --config /etc/warpproxy/proxy.json > .server-proxy 2>&1 &
until_answers https://localhost:8443/ $! .server-proxy
until_so is_ready embedded:
run 1.1
says '{"state":"serving","path":"device","reason":"embedded: is ready; each operation goes where it is expected to be done first"}'
curl -s http://127.0.0.1:9901/status > refused.txt
grep "A token is needed" refused.txt
run 2.1
jq -e .operations "$WALK/output"
curl -s http://127.0.0.1:9902/metrics > metrics.txt
grep warpproxy_info metrics.txt

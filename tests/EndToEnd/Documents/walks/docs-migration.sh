# nginx and WarpProxy have the same site, one after the other, and have to answer the same.
certificate shop.example /etc/warpproxy/shop.pem /etc/warpproxy/shop.key
mkdir -p /etc/warpproxy/tickets
openssl rand 80 > /etc/warpproxy/tickets/2026-01-01-0000.key
upstream web 5001 5002
upstream api 5003

ask() {
    curl -s --cacert /etc/warpproxy/shop.pem --resolve shop.example:443:127.0.0.1 --resolve shop.example:80:127.0.0.1 "$@"
}

# What a client sees: versions, paths, headers, statuses.
answers() {
    for path in / /page?x=1 /api/items /api/; do
        ask "https://shop.example$path"
        ask --http2 -o /dev/null -w '%{http_version} %{http_code} %header{strict-transport-security}\n' "https://shop.example$path"
    done
    ask -o /dev/null -w '%{http_code} %{redirect_url}\n' "http://shop.example/page?x=1"
    ask --tls-max 1.2 -o /dev/null -w '%{http_code}\n' https://shop.example/
    ask --tls-max 1.1 -o /dev/null -w '%{http_code}\n' https://shop.example/ || true
}

mount -t tmpfs logs /var/log/nginx
mount -t tmpfs bodies /var/lib/nginx
block nginx 1 > nginx.conf
nginx -c "$WALK/here/nginx.conf" -g "daemon off; user root; pid $WALK/here/nginx.pid; error_log stderr;" > .server-nginx 2>&1 &
nginx=$!
until_answers https://localhost:443/ $nginx .server-nginx
answers > nginx.txt
kill -TERM $nginx
wait $nginx || true

block json 1 > proxy.json
run 1.1
serve 1.2 https://localhost:443/
answers > warpproxy.txt
stop
cat warpproxy.txt
diff nginx.txt warpproxy.txt
grep -c "^web /" warpproxy.txt | grep -x 2
grep "^api /items" warpproxy.txt
grep "^308 https://shop.example/page?x=1" warpproxy.txt
grep "^2 200 max-age=31536000" warpproxy.txt

# Stock YARP's section, with listeners and certificates of this proxy.
block json 2 > proxy.json
warpproxy --config proxy.json > .server-yarp 2>&1 &
until_answers https://localhost:8443/ $! .server-yarp
curl -s --cacert /etc/warpproxy/shop.pem --resolve shop.example:8443:127.0.0.1 https://shop.example:8443/x | grep "web /x"

# What is code of somebody's program is refused, with a sentence.
jq '.ReverseProxy.Routes.all.AuthorizationPolicy = "staff"' proxy.json > policy.json
if warpproxy check --config policy.json > refusal.txt 2>&1; then false; fi
cat refusal.txt
grep -i "staff" refusal.txt

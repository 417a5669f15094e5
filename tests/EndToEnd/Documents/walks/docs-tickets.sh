mkdir -p /etc/warpproxy/tickets
run 1.1
run 1.2
certificate shop.example /etc/warpproxy/shop.pem /etc/warpproxy/shop.key
echo '{ "Listeners": { "public": { "Url": "https://localhost:8443" } }, "Tickets": { "Directory": "/etc/warpproxy/tickets", "Lifetime": "12:00:00" } }' > "$WALK/here/proxy.json"
warpproxy --config "$WALK/here/proxy.json" > "$WALK/here/.server-proxy" 2>&1 &
proxy=$!
until_answers https://localhost:8443/ $proxy "$WALK/here/.server-proxy"

# A session is resumed, also after a restart, for the keys are in files.
visit() {
    openssl s_client -connect localhost:8443 -tls1_2 "$@" < /dev/null 2> /dev/null | grep -E "^(New|Reused)"
}
visit -sess_out "$WALK/here/session"
kill -TERM $proxy
wait $proxy
warpproxy --config "$WALK/here/proxy.json" > "$WALK/here/.server-proxy" 2>&1 &
until_answers https://localhost:8443/ $! "$WALK/here/.server-proxy"
visit -sess_in "$WALK/here/session" | grep Reused

# Rotations: the newest three stay.
run 2.1
for minute in 1 2 3 4; do
    openssl rand 80 > "2026-01-02-000$minute.key"
done
run 2.2
run 2.3
ls | wc -l | grep -x 3
not_here 3.1 "no cluster: the chart's tests have the Secret"

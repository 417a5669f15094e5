mkdir -p /etc/warpproxy
echo '{ "Offload": { "Path": "software" } }' > /etc/warpproxy/proxy.json
warpproxy --config /etc/warpproxy/proxy.json > .server-proxy 2>&1 &
proxy=$!
until_answers https://localhost:8443/ $proxy .server-proxy
block json 1 > new.json
run 1.1
until_so status '.configuration.reloads == 1'
echo '{ "Offload": { "Path": "software", "Depth": 64 } }' > new.json
mv new.json /etc/warpproxy/proxy.json
kill -HUP $(pidof warpproxy)
until_so status '.configuration.reloads == 2'
run 2.1
jq -e '.reloads == 2 and .refused == 0' "$WALK/output"

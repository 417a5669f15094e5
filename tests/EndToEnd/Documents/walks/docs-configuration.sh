# Three ways to say the same.
block json 1 > proxy.json
serve 2.1 https://localhost:8443/
stop
serve 1.1 https://localhost:8443/
stop

# The complete example, and variables that are stronger.
for name in shop news; do
    certificate $name.example /etc/warpproxy/$name.pem /etc/warpproxy/$name.key
done
echo none > /etc/warpproxy/news.password
cat /etc/warpproxy/shop.pem /etc/warpproxy/shop.key > "$WALK/here/both.pem"
mkdir -p /run/secrets
cp both.pem /run/secrets/shop.pem
block json last > proxy.json
warpproxy check --config proxy.json
set -a
run 3.1
run 3.2
run 3.3
run 3.4
run 3.5
set +a
warpproxy check --config proxy.json

run 5.1
jq -e '.properties.Offload' warpproxy.schema.json > /dev/null
not_here 4.1 "ends with code 2, as it should: DocumentedConfigurationTests compares what it answers"

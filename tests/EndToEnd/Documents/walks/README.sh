# Somebody who has cloned the repository and reads nothing but its README.
cd "$REPOSITORY"
serve 1.1 https://localhost:8443/
run 2.1
says "WarpProxy is serving"
run 2.2
until_so status '.state == "serving" and .operations.device + .operations.software >= 1 and .leaks.operationsInFlight == 0'
until_so status '.devices[0] | .uri == "embedded:" and .state == "ready"'
stop

# The accelerator in a process of its own; killed, and started again.
serve 3.1 /tmp/warp.sock
emulator=$server
serve 3.2 https://localhost:8443/
proxy=$server
run 2.1
until_so status '.devices[0].uri == "emulator:/tmp/warp.sock" and .devices[0].state == "ready"'
pkill -KILL -x warp-emulator
wait "$emulator" || true
until_so status '.devices[0].state != "ready"'
run 2.1
says "WarpProxy is serving"
rm /tmp/warp.sock
again 3.1 /tmp/warp.sock
until_so status '.devices[0].state == "ready"'
run 2.1
says "WarpProxy is serving"
stop
stop "$proxy"

# A certificate and servers of one's own.
certificate shop.example site.crt site.key
block json 2 > proxy.json
upstream web 5000
serve 4.1 https://localhost:8443/
curl -s --cacert site.crt --resolve shop.example:8443:127.0.0.1 https://shop.example:8443/hello | grep "web /hello"
stop

not_here 5.1 "is what runs this"

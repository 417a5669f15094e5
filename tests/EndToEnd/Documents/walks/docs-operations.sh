# The first configuration, with all that it names.
mkdir -p /etc/warpproxy/tickets
certificate shop.example /etc/warpproxy/certs/rsa.pem /etc/warpproxy/certs/rsa.key
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=shop.example -addext subjectAltName=DNS:shop.example \
    -keyout /etc/warpproxy/certs/ecdsa.key -out /etc/warpproxy/certs/ecdsa.pem 2> /dev/null
openssl rand 80 > /etc/warpproxy/tickets/1.key
chmod 600 /etc/warpproxy/certs/*.key
block json last > /etc/warpproxy/proxy.json
run 1.1
run_at_last 1.2
says "0 failed"

# An authority with a responder, and two certificates of it.
mkdir -p authority /etc/warpproxy
openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj "/CN=authority" -keyout authority/key -out issuer.pem 2> /dev/null
touch authority/index
echo "unique_subject = no" > authority/index.attr
for kind in rsa ecdsa; do
    [ $kind = rsa ] && key="rsa:2048" || key="ec -pkeyopt ec_paramgen_curve:P-256"
    openssl req -newkey $key -nodes -subj "/CN=localhost" -keyout /etc/warpproxy/site-$kind.key -out site.csr 2> /dev/null
    printf 'subjectAltName=DNS:localhost\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:8888\n' > extensions
    openssl x509 -req -in site.csr -CA issuer.pem -CAkey authority/key -days 60 -extfile extensions -out site-$kind.pem 2> /dev/null
    cp site-$kind.pem /etc/warpproxy/
    printf 'V\t%s\t\t%s\tunknown\t/CN=localhost\n' "$(date -u -d '+60 days' +%y%m%d%H%M%SZ)" "$(openssl x509 -noout -serial -in site-$kind.pem | cut -d= -f2)" >> authority/index
done
openssl ocsp -port 8888 -index authority/index -CA issuer.pem -rsigner issuer.pem -rkey authority/key -ndays 7 > .server-responder 2>&1 &
until_so openssl ocsp -issuer issuer.pem -cert site-ecdsa.pem -url http://127.0.0.1:8888 -no_nonce -respout /etc/warpproxy/site-ecdsa.ocsp

upstream web 5000
run 1.1
block json 1 > proxy.json
warpproxy --config proxy.json > .server-proxy 2>&1 &
until_answers https://localhost:443/ $! .server-proxy
run 1.2
says "OCSP Response Status: successful"
says "Cert Status: good"

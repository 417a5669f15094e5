# An archive as deploy/release/make lays it out, of the programs that were built; the tests of releases unpack a real one. systemd does not run here.
mount -t tmpfs opt /opt
mkdir -p archive/bin /run/warp
ln -s "$(command -v warpproxy)" "$(command -v warp-emulator)" archive/bin
cp -R "$REPOSITORY/deploy/systemd" archive
for version in 1.0.0 1.1.0; do
    tar -czf "warpproxy-$version-linux-x64.tar.gz" --transform "s|^archive|warpproxy-$version-linux-x64|" archive
done
certificate site.example site.crt site.key
sudo() { "$@"; }

run 1.1
not_here 1.2 "who is root in a namespace only has no numbers for more users; a test tries it dry"
sed -i '1i warpproxy:x:0:' /etc/group
run 1.3
run 1.4
not_here 1.5 "systemd does not run"
[ -x /opt/warpproxy/bin/warpproxy ]

# Its services name what is there now.
systemd-analyze verify --man=no /opt/warpproxy/systemd/*.service > verified.txt 2>&1
[ ! -s verified.txt ]
warpproxy check --config /etc/warpproxy/proxy.json

run 2.1
not_here 2.2 "is an editor; the document shows what to write"
block json 1 > /etc/warpproxy/proxy.json
mkdir -p /run/credentials/warpproxy.service
for file in site.crt site.key; do
    cp "/etc/warpproxy/secrets/$file" "/run/credentials/warpproxy.service/secrets_$file"     # as LoadCredential= does
done
run 2.3
says "is right"
not_here 2.4 "systemd does not run"

run 3.1
run 3.2
[ "$(stat -c '%a %G' /etc/warpproxy/live/site.key)" = "640 warpproxy" ]     # the first of that number
not_here 4.1 "systemd does not run"

not_here 5.1 "systemd does not run"
run 5.2
run 5.3
[ -x /opt/warpproxy/bin/warpproxy ]
not_here 5.4 "systemd does not run"
not_here 5.5 "systemd does not run"

not_here 6.1 "takes minutes; the tests of releases make one"
not_here 6.2 "takes minutes"
not_here 6.3 "takes minutes"

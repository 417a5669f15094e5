certificate shop.example /etc/warpproxy/shop.pem /etc/warpproxy/shop.key
chmod 600 /etc/warpproxy/shop.key
warp-emulator --socket /run/warp.sock > "$WALK/here/.server-emulator" 2>&1 &
until_answers /run/warp.sock $! "$WALK/here/.server-emulator"
block json 1 > proxy.json
run_at_last 1.1
says "known-answer"
says "0 failed"

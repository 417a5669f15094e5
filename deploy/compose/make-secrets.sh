#!/bin/sh
# make-secrets.sh DIRECTORY: makes the secrets of docker-compose.yml that are not there yet, each readable by the one user who needs it.
set -eu
umask 077
cd "$1"

# make NAME OWNER: 128 random bits as text.
make() {
    if [ ! -s "$1" ]; then
        rm -f "$1.new"
        head -c 16 /dev/urandom | od -A n -t x1 | tr -d ' \n' > "$1.new"
        chown "$2" "$1.new"
        mv "$1.new" "$1"
        echo "$1 was made"
    fi
}

make admin-token 10001:10001
make grafana-password 472:0

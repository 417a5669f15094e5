# Renews the session ticket keys in a Secret: adds one at the end, removes the oldest. docs/tickets.md says which of them encrypts.
# Needs kubectl, and SECRET, NAMESPACE and KEEP, how many keys there are afterwards.
set -eu
umask 077

new="$(date -u +%Y-%m-%d-%H%M).key"
names=$(kubectl get secret "$SECRET" --namespace "$NAMESPACE" --output go-template='{{range $name, $key := .data}}{{$name}}{{"\n"}}{{end}}' | LC_ALL=C sort)
last=$(printf '%s\n%s\n' "$names" "$new" | LC_ALL=C sort | tail -n 1)
if [ "$last" != "$new" ]; then
    echo "$SECRET has $last, which comes after $new: the last key must be the newest, so name keys by their time, such as 2026-01-31-0000.key." >&2
    exit 1
fi
case "$names" in
*"$new"*)
    echo "$SECRET has $new already."
    exit 0
    ;;
esac

# A merge patch: a value for what is added, null for what is removed. The key is in no argument, which other processes could read.
patch=$(mktemp)
trap 'rm -f "$patch"' EXIT
printf '{"data":{"%s":"%s"' "$new" "$(head -c 80 /dev/urandom | base64 | tr -d '\n')" > "$patch"
for old in $(printf '%s\n' "$names" | head -n "-$((KEEP - 1))"); do
    printf ',"%s":null' "$old" >> "$patch"
    echo "$SECRET loses $old."
done
printf '}}' >> "$patch"
kubectl patch secret "$SECRET" --namespace "$NAMESPACE" --type merge --patch-file "$patch"
echo "$SECRET has $new, which encrypts after the next rotation."

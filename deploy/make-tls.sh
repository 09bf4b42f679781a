#!/usr/bin/env bash
# Makes what `cluster.tls` names: a CA, and for each node a private key and a certificate of it.
#
#   deploy/make-tls.sh DIR NAME...
#   deploy/make-tls.sh tls n1 n2 n3
#
# writes into DIR, which it makes
#
#   ca.crt                the CA's certificate: every node gets it, as `ca`
#   ca.key                the CA's private key: no node gets it; keep it off line
#   NAME.crt, NAME.key    one pair for each node, as `cert` and `key`
#
# If the CA is there already it is used again: so a node is added, or gets a new certificate under
# another name. Nothing is ever overwritten. Who holds a key that this CA has signed is a node, with
# all that a node can do; names in certificates tell people apart, nodes do not compare them. So the
# CA must sign nothing but nodes, and who leaks a key makes the others get a new CA.
#
# Keys are EC on the curve P-256, in PKCS #8 without a password. DAYS sets how long a node's
# certificate holds; the CA's holds ten years.
set -euo pipefail
umask 077

fail() {
  echo "make-tls.sh: $*" >&2
  exit 1
}

[ $# -ge 2 ] || fail "usage: make-tls.sh DIR NAME..."
command -v openssl >/dev/null || fail "openssl is not there"
dir=$1
shift
days=${DAYS:-825}
case $days in '' | *[!0-9]*) fail "DAYS must be a number, not '$days'" ;; esac

# first look at everything, then write
for name in "$@"; do
  case $name in
    ca | *[!A-Za-z0-9._-]* | [!A-Za-z0-9]* | '') fail "not a name for a node: '$name'" ;;
  esac
  for file in "$dir/$name.crt" "$dir/$name.key"; do
    [ ! -e "$file" ] || fail "$file is there already"
  done
done
[ "$(printf '%s\n' "$@" | sort | uniq -d)" = "" ] || fail "a name is given twice"
if [ -e "$dir/ca.crt" ] || [ -e "$dir/ca.key" ]; then
  [ -r "$dir/ca.crt" ] && [ -r "$dir/ca.key" ] || fail "of $dir/ca.crt and $dir/ca.key one is missing"
fi

mkdir -p "$dir"
work=$(mktemp -d "$dir/.make-tls.XXXXXX")
trap 'rm -rf "$work"' EXIT

# a key and a request, or with -x509 a certificate that signs itself
new() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 "$@" 2>"$work/said" ||
    fail "$(cat "$work/said")"
}

if [ ! -e "$dir/ca.crt" ]; then
  cat >"$work/ca.cnf" <<END
[req]
distinguished_name = name
x509_extensions = ca
prompt = no
[name]
CN = Busbar nodes
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END
  new -x509 -days 3650 -config "$work/ca.cnf" -keyout "$work/ca.key" -out "$work/ca.crt"
  mv -n "$work/ca.key" "$work/ca.crt" "$dir/"
fi

for name in "$@"; do
  # each node is a server to those that call it, and a client of those it calls
  cat >"$work/node.cnf" <<END
[req]
distinguished_name = name
prompt = no
[name]
CN = $name
[node]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = DNS:$name
END
  new -config "$work/node.cnf" -keyout "$work/$name.key" -out "$work/node.csr"
  openssl x509 -req -sha256 -days "$days" -set_serial "0x$(openssl rand -hex 16)" \
    -in "$work/node.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" \
    -extfile "$work/node.cnf" -extensions node -out "$work/$name.crt" 2>"$work/said" ||
    fail "$(cat "$work/said")"
  openssl verify -CAfile "$dir/ca.crt" "$work/$name.crt" >"$work/said" 2>&1 ||
    fail "$(cat "$work/said")"
  mv -n "$work/$name.key" "$work/$name.crt" "$dir/"
done

#!/usr/bin/env bash
# Whether the node in this container answers: ends with 0 if it does, with 1 if not.
#
# The image has no curl, so bash asks by itself. 200, or 401 where the node wants to know who asks,
# means that it has started, and has joined its cluster if it is to have one; while it closes it
# answers 503. BUSBAR_PORT is the port where HTTP is, without TLS.
set -euo pipefail

port=${BUSBAR_PORT:-8080}
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /api/v1/nodes HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$port" >&3
read -r -t 5 _ status _ <&3
[ "$status" = 200 ] || [ "$status" = 401 ]

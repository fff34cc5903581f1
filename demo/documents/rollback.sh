#!/bin/sh
# Puts the newest backup back. --rehearse (the default) only shows whether that would work; --now does it.
# Exit code 0: done, or it would work. 1: it does not. 2: wrong use.
set -eu

place=$(cd "$(dirname "$0")/.." && pwd)
PATH="$place/bin:$PATH"

newest=$(ls -1 "$place"/backups/*.dump 2>/dev/null | sort | tail -n 1)
if [ -z "$newest" ]; then
    echo "no backup to go back to" >&2
    exit 1
fi
tables=$(pg_restore --list "$newest" | grep -c ' TABLE DATA ') || {
    echo "$newest cannot be read" >&2
    exit 1
}

case "${1:---rehearse}" in
--rehearse)
    echo "would stop scheduler, worker and api, restore $tables tables from $(basename "$newest"), and start them again"
    ;;
--now)
    setting() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" "$place/settings.json" | head -n 1; }
    control() { supervisorctl -c "$place/supervisord.conf" "$@"; }
    PGPASSWORD=$(setting application_password)
    export PGPASSWORD
    control stop scheduler worker api
    pg_restore --clean --if-exists --single-transaction --no-owner \
        --host 127.0.0.1 --port "$(setting postgres)" --username warungin --dbname warungin "$newest"
    control start api worker scheduler
    echo "restored $tables tables from $(basename "$newest")"
    ;;
*)
    echo "usage: rollback.sh [--rehearse | --now]" >&2
    exit 2
    ;;
esac

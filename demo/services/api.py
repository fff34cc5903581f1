"""The API: `python -m demo.services.api` serves it with waitress, sixteen threads, on its port of 127.0.0.1."""

from __future__ import annotations

import logging

import waitress  # type: ignore[import-untyped]

from demo.services.shop.app import create_app
from demo.services.shop.parts import make_parts
from demo.settings import load

THREADS = 16


def main() -> None:
    """Serve until a signal ends the process."""
    settings = load()
    the = make_parts(settings)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue of one request is not worth a warning
    server = waitress.create_server(
        create_app(the),
        host="127.0.0.1",
        port=settings.ports.api,
        threads=THREADS,
        ident=None,
        trusted_proxy="127.0.0.1",
        trusted_proxy_headers={"x-forwarded-for"},
        clear_untrusted_proxy_headers=True,
        outbuf_high_watermark=256 * 1024,
    )
    the.journal.info(f"started, version {settings.version}", "service.started", version=settings.version)
    server.run()


if __name__ == "__main__":
    main()

"""The mail sink: takes every letter by SMTP (RFC 5321, as much as smtplib needs) and shows them over REST.

GET /mails lists them, oldest first: `{"mails": [{"id", "from", "to", "subject", "body", "received_at"}]}`;
GET /mails/ID gives one. Nothing is sent on.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import re
from collections.abc import Mapping
from pathlib import Path

from demo.services.journal import Journal, utc_now
from demo.services.rest import Answer, serve
from demo.settings import load

KEPT = 500
LONGEST_BYTES = 5_000_000
PATIENCE_S = 60.0
_PATH = re.compile(r"<([^>]*)>")

Letter = dict[str, object]


class Mailbox:
    """All letters, in memory and, one JSON file each, in a folder that outlives a restart."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder = folder
        self._journal = journal
        self._letters: list[Letter] = [
            json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))
        ]

    def take(self, sender: str, recipients: list[str], data: bytes) -> None:
        """Keep a letter as it came in."""
        parsed = email.message_from_bytes(data, policy=email.policy.default)
        number = int(str(self._letters[-1]["id"])) + 1 if self._letters else 1
        part = parsed.get_body(("plain", "html"))
        letter: Letter = {
            "id": number,
            "from": sender,
            "to": recipients,
            "subject": str(parsed["Subject"] or ""),
            "body": part.get_content() if part is not None else "",
            "received_at": utc_now(),
        }
        (self._folder / f"{number:08}.json").write_text(json.dumps(letter), encoding="utf-8")
        self._letters.append(letter)
        if len(self._letters) > KEPT:
            (self._folder / f"{self._letters.pop(0)['id']:08}.json").unlink(missing_ok=True)
        self._journal.info(f"mail {number} taken", "mail.received", recipients=len(recipients), size_bytes=len(data))

    def answer(self, path: str, _query: Mapping[str, str]) -> Answer:
        """The REST side."""
        if path in {"/", "/health"}:
            return 200, {"status": "ok", "mails": len(self._letters)}
        if path == "/mails":
            return 200, {"mails": list(self._letters)}
        for letter in list(self._letters):
            if path == f"/mails/{letter['id']}":
                return 200, letter
        return 404, {"error": "not_found"}


class Conversation:
    """One SMTP connection."""

    def __init__(self, box: Mailbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._box = box
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def hold(self) -> None:
        """Talk until the other side leaves or falls silent."""
        await self._say("220 warungin ready")
        while line := await asyncio.wait_for(self._reader.readline(), PATIENCE_S):
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                await self._say("221 bye")
                return
            await self._say(await self._answer(verb.upper(), rest))

    async def _answer(self, verb: str, rest: str) -> str:
        if verb in {"HELO", "EHLO", "RSET"}:
            self._sender, self._recipients = None, []
            return f"250-warungin\r\n250-SIZE {LONGEST_BYTES}\r\n250 8BITMIME" if verb == "EHLO" else "250 ok"
        if verb == "NOOP":
            return "250 ok"
        if verb in {"MAIL", "RCPT"}:
            return self._envelope(verb, rest)
        if verb == "DATA":
            return await self._data()
        return "502 not implemented"

    def _envelope(self, verb: str, rest: str) -> str:
        found = _PATH.search(rest)
        if found is None:
            return "501 an address in <> is wanted"
        if verb == "MAIL":
            self._sender, self._recipients = found[1], []
            return "250 ok"
        if self._sender is None:
            return "503 MAIL first"
        self._recipients.append(found[1])
        return "250 ok"

    async def _data(self) -> str:
        if self._sender is None or not self._recipients:
            return "503 MAIL and RCPT first"
        await self._say("354 end with a dot")
        lines: list[bytes] = []
        size = 0
        while (line := await asyncio.wait_for(self._reader.readline(), PATIENCE_S)) != b".\r\n":
            if not line:
                raise ConnectionResetError
            size += len(line)
            if size <= LONGEST_BYTES:
                lines.append(line[1:] if line.startswith(b".") else line)
        sender, self._sender = self._sender, None
        if size > LONGEST_BYTES:
            return "552 too large"
        self._box.take(sender, self._recipients, b"".join(lines))
        return "250 taken"

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()


async def _serve_smtp(port: int, box: Mailbox, journal: Journal) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Conversation(box, reader, writer).hold()
        except (OSError, TimeoutError, ValueError):  # gone, silent, or a line longer than any mail's
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    journal.info("started", "service.started")
    await server.serve_forever()


def main() -> None:
    """Take mail until a signal ends the process."""
    settings = load()
    journal = Journal("mail", settings.logs)
    box = Mailbox(settings.mails, journal)
    serve(settings.ports.mail_http, box.answer)
    asyncio.run(_serve_smtp(settings.ports.mail_smtp, box, journal))


if __name__ == "__main__":
    main()

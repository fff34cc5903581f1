"""What is in the database from the start: roles, tables, three stores, their users, products and a month of sales.

The shape is always the same (a fixed random seed), the times end now. Two rules hold for every row and are what the
verifier may rely on: an order's total is the sum of its lines, and a product's stock is the sum of its movements.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from demo.passwords import hash_password
from demo.settings import DATABASE_SECRETS, USERS, DatabaseRole, Settings

ORDERS = 2000
DAYS = 30
_STORES = ((1, "Warungin Menteng", "Jakarta"), (2, "Warungin Dago", "Bandung"), (3, "Warungin Ubud", "Gianyar"))
_GOODS = (
    ("Beras Ramos 5 kg", 74500), ("Beras merah 1 kg", 21500), ("Gula pasir 1 kg", 17500),
    ("Gula aren 250 g", 16000), ("Garam dapur 250 g", 3500), ("Minyak goreng 1 l", 19500),
    ("Minyak goreng 2 l", 38000), ("Tepung terigu 1 kg", 12500), ("Telur ayam 10 butir", 28500),
    ("Tahu putih", 6000), ("Tempe papan", 7000), ("Mi goreng instan", 3500),
    ("Mi kuah ayam bawang", 3300), ("Bihun jagung", 6500), ("Kecap manis 275 ml", 14500),
    ("Sambal botol 140 ml", 11500), ("Saus tomat 140 ml", 9500), ("Santan 200 ml", 8500),
    ("Kerupuk udang", 13500), ("Keripik singkong", 9000), ("Kacang atom", 8500),
    ("Biskuit kelapa", 10500), ("Wafer cokelat", 7500), ("Roti tawar", 16500),
    ("Kopi bubuk 165 g", 17500), ("Kopi sachet", 2000), ("Teh celup 25", 8000),
    ("Teh botol 350 ml", 5000), ("Air mineral 600 ml", 3500), ("Air mineral 1,5 l", 6500),
    ("Susu UHT 250 ml", 6500), ("Susu kental manis", 13000), ("Sirup jeruk 460 ml", 19000),
    ("Sabun mandi", 4500), ("Sampo 170 ml", 24500), ("Pasta gigi 190 g", 16500),
    ("Deterjen 800 g", 21500), ("Sabun cuci piring", 15500), ("Tisu 250 lembar", 14000),
    ("Gas 3 kg", 22000),
)  # fmt: skip
_PAYMENTS = ("cash", "cash", "cash", "qris", "qris", "card")

Row = Sequence[object]


@dataclass(kw_only=True)
class Rows:
    """Rows to be copied, by table; columns in the order of `_COLUMNS`."""

    users: list[Row] = field(default_factory=list)
    products: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    order_lines: list[Row] = field(default_factory=list)
    stock_movements: list[Row] = field(default_factory=list)


_COLUMNS: dict[LiteralString, tuple[LiteralString, ...]] = {
    "stores": ("id", "name", "city"),
    "users": ("id", "username", "full_name", "role", "store_id", "password_hash", "totp_secret"),
    "products": ("id", "store_id", "sku", "name", "price", "stock", "low_stock_at"),
    "orders": ("id", "store_id", "cashier_id", "total", "payment", "created_at"),
    "order_lines": ("order_id", "line", "product_id", "quantity", "unit_price"),
    "stock_movements": ("product_id", "delta", "reason", "order_id", "created_at"),
}


def make_rows(settings: Settings, *, now: datetime) -> Rows:
    """Everything but the stores. Takes about 0.2 s, so it is done while the server is still starting."""
    rows = Rows(users=_users(settings))
    dice = random.Random(20261121)  # noqa: S311  nothing secret hangs on it
    sold: dict[int, int] = {}
    begun = now - timedelta(days=DAYS)
    seconds = sorted(dice.uniform(60, DAYS * 86400 - 60) for _ in range(ORDERS))
    for number, second in enumerate(seconds, start=1):
        _add_order(rows, number, begun + timedelta(seconds=second), dice, sold)
    for store, _, _ in _STORES:
        for position, (name, price) in enumerate(_GOODS):
            product = _product_id(store, position)
            left = dice.choice((4, 8, *range(20, 200, 12)))
            sku = f"W{store}-{position + 1:03}"
            rows.products.append((product, store, sku, name, price, left, 10))
            delivered = left + sold.get(product, 0)
            rows.stock_movements.append((product, delivered, "delivery", None, begun - timedelta(days=1)))
    return rows


def _product_id(store: int, position: int) -> int:
    return store * 1000 + position + 1


def _users(settings: Settings) -> list[Row]:
    return [
        (
            number,
            user.name,
            user.full_name,
            user.role,
            user.store_id,
            hash_password(settings.secrets[f"{user.name}_password"]),
            settings.secrets[f"{user.name}_totp"],
        )
        for number, user in enumerate(USERS, start=1)
    ]


def _cashiers(store: int) -> list[int]:
    """Ids of the users who sell there; where nobody is employed yet, the head office does."""
    return [n for n, user in enumerate(USERS, start=1) if user.store_id == store] or [len(USERS)]


def _add_order(rows: Rows, number: int, at: datetime, dice: random.Random, sold: dict[int, int]) -> None:
    store = dice.choices((1, 2, 3), weights=(5, 4, 2))[0]
    total = 0
    for line, position in enumerate(dice.sample(range(len(_GOODS)), dice.choice((1, 2, 2, 3, 4, 5))), start=1):
        product, price, quantity = _product_id(store, position), _GOODS[position][1], dice.choice((1, 1, 1, 2, 3))
        total += quantity * price
        sold[product] = sold.get(product, 0) + quantity
        rows.order_lines.append((number, line, product, quantity, price))
        rows.stock_movements.append((product, -quantity, "sale", number, at))
    rows.orders.append((number, store, dice.choice(_cashiers(store)), total, dice.choice(_PAYMENTS), at))


def seed(settings: Settings, rows: Rows) -> None:
    """Create roles, database, tables and rows. Raises psycopg.Error."""
    with psycopg.connect(**settings.database("postgres", name="postgres"), autocommit=True) as server:
        _create_roles(server, settings)
        server.execute("CREATE DATABASE warungin OWNER warungin")
        server.execute("REVOKE CONNECT ON DATABASE warungin FROM PUBLIC")
        server.execute("GRANT CONNECT ON DATABASE warungin TO golive")
    with psycopg.connect(**settings.database("warungin")) as database:
        database.execute((Path(__file__).with_name("schema.sql")).read_bytes())
        _copy(database, "stores", _STORES)
        for table in ("users", "products", "orders", "order_lines", "stock_movements"):
            _copy(database, table, getattr(rows, table))
        for table, rows_made in (("users", len(rows.users)), ("orders", len(rows.orders))):
            database.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (table, rows_made))
        database.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO golive")
        database.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO golive")
        database.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))))


def _create_roles(server: psycopg.Connection, settings: Settings) -> None:
    """Roles with passwords that only ever travel as verifiers, so that no log of the server can hold one."""
    rights: dict[DatabaseRole, LiteralString] = {"warungin": "", "golive": "", "golive_scratch": "CREATEDB"}
    for role, right in rights.items():
        verifier = server.pgconn.encrypt_password(
            settings.secrets[DATABASE_SECRETS[role]].encode(), role.encode(), b"scram-sha-256"
        )
        statement = sql.SQL("CREATE ROLE {} LOGIN " + right + " PASSWORD {}")
        server.execute(statement.format(sql.Identifier(role), sql.Literal(verifier.decode())))
    server.execute("GRANT pg_monitor, pg_use_reserved_connections TO golive")


def _copy(database: psycopg.Connection, table: LiteralString, rows: Iterable[Row]) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS[table]))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)
    text = "".join("\t".join(map(_field, row)) + "\n" for row in rows)
    with database.cursor().copy(statement) as copy:
        copy.write(text)


def _field(value: object) -> str:
    """A value in COPY's text format; ours hold no tab, line break or backslash."""
    if value is None:
        return r"\N"
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)

"""Sales: an order with its lines, its total and the stock it takes, always in one transaction."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from demo.services import ledger
from demo.services.database import Connection, one_row
from demo.services.shop import body
from demo.services.shop.guard import caller, in_own_store
from demo.services.shop.parts import parts
from demo.services.shop.refusal import RefusalError, bad_value, not_found

routes = Blueprint("orders", __name__, url_prefix="/api/stores/<int:store>/orders")

PAYMENTS = ("cash", "card", "qris")
_LINES_ALLOWED = 50
_QUANTITY_ALLOWED = 1000
_LISTED = 50


@routes.get("")
@in_own_store
def list_orders(store: int) -> ResponseReturnValue:
    """The newest fifty orders, without their lines."""
    with parts().database.connection() as connection:
        rows = connection.execute(
            "SELECT id, store_id, cashier_id, total, payment, note, probe, created_at FROM orders"
            " WHERE store_id = %s ORDER BY created_at DESC LIMIT %s",
            [store, _LISTED],
        ).fetchall()
    return {"orders": [_shown(row) for row in rows]}


@routes.post("")
@in_own_store
def create_order(store: int) -> ResponseReturnValue:
    """Sell something."""
    content = body.json_object()
    quantities = _quantities(content)
    details = _details(content, default_note="")
    probe = body.boolean(content, "probe")
    with parts().database.connection() as connection, connection.transaction():
        prices = _take_from_stock(connection, store, quantities)
        total = sum((prices[product] * quantity for product, quantity in quantities.items()), Decimal(0))
        order = one_row(
            connection,
            "INSERT INTO orders (store_id, cashier_id, total, payment, note, probe) VALUES (%s, %s, %s, %s, %s, %s)"
            " RETURNING id, store_id, cashier_id, total, payment, note, probe, created_at",
            [store, caller().user_id, total, details["payment"], details["note"], probe],
        )
        _write_lines(connection, order["id"], quantities, prices)
        shown = _with_lines(connection, order)
    parts().counters.count_order()
    return shown, 201, {"Location": f"/api/stores/{store}/orders/{order['id']}"}


@routes.get("/<int:order>")
@in_own_store
def get_order(store: int, order: int) -> ResponseReturnValue:
    """One order with its lines."""
    with parts().database.connection() as connection:
        return _with_lines(connection, _find(connection, store, order))


@routes.put("/<int:order>")
@in_own_store
def change_order(store: int, order: int) -> ResponseReturnValue:
    """Change how an order was paid, or its note; what was sold stays sold."""
    content = body.json_object()
    with parts().database.connection() as connection, connection.transaction():
        found = _find(connection, store, order)
        details = _details({"payment": found["payment"], **content}, default_note=found["note"])
        changed = connection.execute(
            "UPDATE orders SET payment = %s, note = %s WHERE id = %s AND store_id = %s"
            " RETURNING id, store_id, cashier_id, total, payment, note, probe, created_at",
            [details["payment"], details["note"], order, store],
        ).fetchone()
        if changed is None:
            raise not_found("order")
        return _with_lines(connection, changed)


@routes.delete("/<int:order>")
@in_own_store
def delete_order(store: int, order: int) -> ResponseReturnValue:
    """Take an order back: its goods return to stock."""
    with parts().database.connection() as connection, connection.transaction():
        _find(connection, store, order)
        ledger.remove_order(connection, order)
    return "", 204


@routes.get("/<int:order>/receipt")
@in_own_store
def receipt(store: int, order: int) -> ResponseReturnValue:
    """The order as a till prints it: plain text, 40 columns."""
    with parts().database.connection() as connection:
        shown = _with_lines(connection, _find(connection, store, order))
        shop = one_row(connection, "SELECT name FROM stores WHERE id = %s", [store])
    lines = [f"{shop['name']:^40}", f"Order {shown['id']}  {shown['created_at'][:16].replace('T', ' ')}", "-" * 40]
    for line in shown["lines"]:
        lines.append(f"{line['quantity']:>4} x {line['name'][:20]:<20}{line['quantity'] * line['unit_price']:>13,.0f}")
    lines += ["-" * 40, f"{'TOTAL':<20}{shown['total']:>20,.0f}", f"Paid: {shown['payment']}", "Terima kasih!", ""]
    return Response("\n".join(lines), mimetype="text/plain")


def _quantities(content: dict[str, Any]) -> dict[int, int]:
    """Quantity by product id; the same product on two lines is added up."""
    lines = content.get("lines")
    if not isinstance(lines, list) or not 1 <= len(lines) <= _LINES_ALLOWED:
        raise bad_value("lines", f"a list of 1 to {_LINES_ALLOWED} lines")
    wanted: dict[int, int] = {}
    for line in lines:
        if not isinstance(line, dict):
            raise bad_value("lines", 'objects like {"product_id": 1, "quantity": 2}')
        product = body.integer(line, "product_id", least=1, most=body.MAX_INTEGER)
        wanted[product] = wanted.get(product, 0) + body.integer(line, "quantity", least=1, most=_QUANTITY_ALLOWED)
    return wanted


def _details(content: dict[str, Any], *, default_note: str) -> dict[str, str]:
    return {
        "payment": body.choice(content, "payment", PAYMENTS, default="cash"),
        "note": body.text(content, "note", longest=200, default=default_note),
    }


def _take_from_stock(connection: Connection, store: int, quantities: dict[int, int]) -> dict[int, Decimal]:
    """Lower the stock; the price of each product. Rows are locked in the order of their ids: no deadlocks."""
    rows = connection.execute(
        "SELECT id, price, stock FROM products WHERE store_id = %s AND id = ANY(%s) ORDER BY id FOR UPDATE",
        [store, list(quantities)],
    ).fetchall()
    if len(rows) != len(quantities):
        raise RefusalError(400, "unknown_product", extra={"field": "lines"})
    missing = [row["id"] for row in rows if row["stock"] < quantities[row["id"]]]
    if missing:
        raise RefusalError(409, "out_of_stock", extra={"products": missing})
    connection.execute(
        "UPDATE products p SET stock = p.stock - sold.quantity"
        " FROM unnest(%s::integer[], %s::integer[]) AS sold(id, quantity) WHERE p.id = sold.id",
        [list(quantities), list(quantities.values())],
    )
    return {row["id"]: row["price"] for row in rows}


def _write_lines(connection: Connection, order: int, quantities: dict[int, int], prices: dict[int, Decimal]) -> None:
    products, sold = list(quantities), list(quantities.values())
    connection.execute(
        "INSERT INTO order_lines (order_id, line, product_id, quantity, unit_price)"
        " SELECT %s, l.line, l.product, l.quantity, l.price"
        " FROM unnest(%s::integer[], %s::integer[], %s::numeric[])"
        " WITH ORDINALITY AS l(product, quantity, price, line)",
        [order, products, sold, [prices[product] for product in products]],
    )
    connection.execute(
        "INSERT INTO stock_movements (product_id, delta, reason, order_id)"
        " SELECT product_id, -quantity, 'sale', order_id FROM order_lines WHERE order_id = %s",
        [order],
    )


def _find(connection: Connection, store: int, order: int) -> dict[str, Any]:
    if order >= 2**63:
        raise not_found("order")
    row = connection.execute(
        "SELECT id, store_id, cashier_id, total, payment, note, probe, created_at FROM orders"
        " WHERE id = %s AND store_id = %s",
        [order, store],
    ).fetchone()
    if row is None:
        raise not_found("order")
    return row


def _with_lines(connection: Connection, order: dict[str, Any]) -> dict[str, Any]:
    lines = connection.execute(
        "SELECT l.line, l.product_id, p.name, l.quantity, l.unit_price FROM order_lines l"
        " JOIN products p ON p.id = l.product_id WHERE l.order_id = %s ORDER BY l.line",
        [order["id"]],
    ).fetchall()
    return {**_shown(order), "lines": [{**line, "unit_price": float(line["unit_price"])} for line in lines]}


def _shown(order: dict[str, Any]) -> dict[str, Any]:
    return {**order, "total": float(order["total"]), "created_at": order["created_at"].isoformat()}

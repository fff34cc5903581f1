"""The stock ledger: every change of a product's stock has its line there, written in the same transaction."""

from __future__ import annotations

from demo.services.database import Connection


def move(connection: Connection, deltas: dict[int, int], reason: str, *, order: int | None) -> None:
    """Change stock and ledger by the same numbers. Call it in a transaction; locks products in the order of ids."""
    products = sorted(deltas)
    changes = [deltas[product] for product in products]
    connection.execute("SELECT 1 FROM products WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [products])
    connection.execute(
        "WITH moved AS (SELECT * FROM unnest(%s::integer[], %s::integer[]) AS m(product_id, delta)),"
        " changed AS (UPDATE products p SET stock = p.stock + m.delta FROM moved m WHERE p.id = m.product_id)"
        " INSERT INTO stock_movements (product_id, delta, reason, order_id)"
        " SELECT product_id, delta, %s, %s FROM moved",
        [products, changes, reason, order],
    )


def remove_order(connection: Connection, order: int) -> None:
    """Delete an order and return its goods. Call it in a transaction; an order that is gone already is no error."""
    lines = connection.execute(
        "SELECT l.product_id, l.quantity FROM orders o JOIN order_lines l ON l.order_id = o.id"
        " WHERE o.id = %s FOR UPDATE OF o",
        [order],
    ).fetchall()
    returned: dict[int, int] = {}
    for line in lines:
        returned[line["product_id"]] = returned.get(line["product_id"], 0) + line["quantity"]
    if connection.execute("DELETE FROM orders WHERE id = %s", [order]).rowcount and returned:
        move(connection, returned, "return", order=order)

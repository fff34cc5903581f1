"""Products and their stock."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from demo.services import ledger
from demo.services.shop import body
from demo.services.shop.guard import in_own_store
from demo.services.shop.parts import parts
from demo.services.shop.refusal import RefusalError, not_found

routes = Blueprint("stock", __name__, url_prefix="/api/stores/<int:store>")

_DELTA_ALLOWED = 100_000


@routes.get("/products")
@in_own_store
def list_products(store: int) -> ResponseReturnValue:
    """What the store sells."""
    with parts().database.connection() as connection:
        rows = connection.execute(
            "SELECT id, sku, name, price, stock, low_stock_at FROM products WHERE store_id = %s ORDER BY id", [store]
        ).fetchall()
    return {"products": [{**row, "price": float(row["price"])} for row in rows]}


@routes.post("/stock")
@in_own_store
def change_stock(store: int) -> ResponseReturnValue:
    """Book a delivery (delta above zero) or a loss (below)."""
    content = body.json_object()
    product = body.integer(content, "product_id", least=1, most=body.MAX_INTEGER)
    delta = body.integer(content, "delta", least=-_DELTA_ALLOWED, most=_DELTA_ALLOWED)
    if delta == 0:
        raise RefusalError(400, "invalid_request", extra={"field": "delta", "expected": "not zero"})
    with parts().database.connection() as connection, connection.transaction():
        row = connection.execute(
            "SELECT stock FROM products WHERE id = %s AND store_id = %s FOR UPDATE", [product, store]
        ).fetchone()
        if row is None:
            raise not_found("product")
        if not 0 <= row["stock"] + delta <= body.MAX_INTEGER:
            raise RefusalError(409, "out_of_stock", extra={"products": [product]})
        ledger.move(connection, {product: delta}, "delivery" if delta > 0 else "correction", order=None)
    return {"product_id": product, "stock": row["stock"] + delta}

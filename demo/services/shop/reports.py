"""Reports of a day, made by the worker, and the dashboard."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint
from flask.typing import ResponseReturnValue

from demo.services import misbehave
from demo.services.database import one_row
from demo.services.queue import QUEUE_KEY
from demo.services.shop import body
from demo.services.shop.guard import caller, in_own_store
from demo.services.shop.parts import parts
from demo.services.shop.refusal import not_found

routes = Blueprint("reports", __name__, url_prefix="/api/stores/<int:store>")

_TOP_PRODUCTS = 5


@routes.post("/reports")
@in_own_store
def request_report(store: int) -> ResponseReturnValue:
    """Ask the worker for the report of a day (in UTC)."""
    day = body.day(body.json_object(), "day")
    report = uuid4()
    with parts().database.connection() as connection:
        connection.execute(
            "INSERT INTO reports (id, store_id, day, requested_by) VALUES (%s, %s, %s, %s)",
            [report, store, day, caller().user_id],
        )
    parts().cache.run("RPUSH", QUEUE_KEY, json.dumps({"report": str(report), "queued_at": time.time()}))
    return {"id": str(report)}, 202, {"Location": f"/api/stores/{store}/reports/{report}"}


@routes.get("/reports/<uuid:report>")
@in_own_store
def get_report(store: int, report: UUID) -> ResponseReturnValue:
    """How far the report is, and its figures once it is done."""
    with parts().database.connection() as connection:
        row = connection.execute(
            "SELECT id, day, status, total, orders FROM reports WHERE id = %s AND store_id = %s", [report, store]
        ).fetchone()
    if row is None:
        raise not_found("report")
    total = None if row["total"] is None else float(row["total"])
    return {**row, "id": str(row["id"]), "day": row["day"].isoformat(), "total": total}


@routes.get("/dashboard")
@in_own_store
def dashboard(store: int) -> ResponseReturnValue:
    """Today's figures (the day is UTC's)."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    shown = _figures(store, today)
    if misbehave.is_on("dashboard-shows-nan"):
        shown["sales_today"] = "NaN"
    return shown


def _figures(store: int, today: datetime) -> dict[str, Any]:
    with parts().database.connection() as connection:
        row = one_row(
            connection,
            "SELECT count(*) AS orders, coalesce(sum(total), 0) AS sales,"
            " (SELECT count(*) FROM products WHERE store_id = %s AND stock <= low_stock_at) AS low_stock"
            " FROM orders WHERE store_id = %s AND created_at >= %s AND created_at < %s",
            [store, store, today, today + timedelta(days=1)],
        )
        top = connection.execute(
            "SELECT p.id, p.name, sum(l.quantity)::integer AS sold FROM orders o"
            " JOIN order_lines l ON l.order_id = o.id JOIN products p ON p.id = l.product_id"
            " WHERE o.store_id = %s AND o.created_at >= %s GROUP BY p.id, p.name ORDER BY sold DESC, p.id LIMIT %s",
            [store, today - timedelta(days=7), _TOP_PRODUCTS],
        ).fetchall()
    return {
        "sales_today": float(row["sales"]),
        "orders_today": row["orders"],
        "low_stock": row["low_stock"],
        "top_products": top,
    }

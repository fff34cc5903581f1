"""Rows that are wrong or gone, and reports that are wrong or never come."""

from __future__ import annotations

from demo.faults._model import Demo, Fault, wait_for
from demo.services.queue import QUEUE_KEY

_USERS_AWAY = """
ALTER TABLE users RENAME TO users_kept;
CREATE TABLE users (LIKE users_kept INCLUDING ALL);
"""
_USERS_BACK = """
DROP TABLE users;
ALTER TABLE users_kept RENAME TO users;
"""


def _run(demo: Demo, statements: str) -> None:
    with demo.database("warungin") as database, database.transaction():
        database.execute(statements.encode())


def _falsify_order(demo: Demo) -> None:
    """An order of some days ago, so that today's figures stay as they are."""
    _run(
        demo,
        "UPDATE orders SET total = total + 1000 WHERE id = ("
        " SELECT min(id) FROM orders WHERE store_id = 1 AND created_at > now() - interval '9 days')",
    )


def _correct_orders(demo: Demo) -> None:
    _run(
        demo,
        "UPDATE orders o SET total = l.total FROM ("
        " SELECT order_id, sum(quantity * unit_price) AS total FROM order_lines GROUP BY order_id) l"
        " WHERE l.order_id = o.id AND l.total <> o.total",
    )


def _falsify_stock(demo: Demo) -> None:
    _run(demo, "UPDATE products SET stock = stock + 7 WHERE id = (SELECT min(id) FROM products WHERE store_id = 1)")


def _correct_stock(demo: Demo) -> None:
    _run(
        demo,
        "UPDATE products p SET stock = m.stock FROM ("
        " SELECT product_id, sum(delta) AS stock FROM stock_movements GROUP BY product_id) m"
        " WHERE m.product_id = p.id AND m.stock <> p.stock",
    )


def _empty_users(demo: Demo) -> None:
    _run(demo, _USERS_AWAY)


def _bring_users_back(demo: Demo) -> None:
    with demo.database("warungin") as database:
        is_away = database.execute("SELECT 1 FROM pg_class WHERE relname = 'users_kept'").fetchone() is not None
    if is_away:
        _run(demo, _USERS_BACK)
    for key in demo.redis("KEYS", "login_failures:*"):  # of honest users, who were refused as unknown
        demo.redis("DEL", key)


def _hide_users(demo: Demo) -> None:
    _run(demo, "ALTER TABLE users ENABLE ROW LEVEL SECURITY")


def _show_users(demo: Demo) -> None:
    _run(demo, "ALTER TABLE users DISABLE ROW LEVEL SECURITY")


def _wait_until_queue_is_empty(demo: Demo) -> None:
    wait_for(lambda: int(demo.redis("LLEN", QUEUE_KEY)) == 0, "the worker to work off the queue")


ORDER_TOTAL = Fault(
    name="order-total-wrong",
    says="the total of one order is not the sum of its lines",
    incident="a correction by hand changed the total and forgot the lines",
    break_=_falsify_order,
    heal=_correct_orders,
)

STOCK_LEDGER = Fault(
    name="stock-ledger-wrong",
    says="a product's stock is not the sum of its movements",
    incident="a stock-take was written past the ledger",
    break_=_falsify_stock,
    heal=_correct_stock,
)

USERS_MISSING = Fault(
    name="users-missing",
    says="the table of users is empty, and nobody can log in",
    incident="a migration made the table anew and did not copy its rows",
    break_=_empty_users,
    heal=_bring_users_back,
    needs_new_deployment=True,
)

USERS_HIDDEN = Fault(
    name="users-hidden",
    says="whoever is not the application sees no user in the table of users",
    incident="row level security was switched on without a policy",
    break_=_hide_users,
    heal=_show_users,
)

QUEUE_STUCK = Fault(
    name="queue-stuck",
    says="the worker is alive but takes no job, so reports never get done",
    incident="the worker waits on a queue whose name was changed",
    heal=_wait_until_queue_is_empty,
)

REPORT_TOTAL = Fault(
    name="report-total-wrong",
    says="the totals of reports are too high",
    incident="orders that were taken back were counted as sales",
)

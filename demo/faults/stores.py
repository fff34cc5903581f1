"""The wall between stores, with holes."""

from __future__ import annotations

from demo.faults._model import Demo, Fault

_REMEMBER = """
CREATE SCHEMA kept;
CREATE TABLE kept.orders AS TABLE public.orders;
CREATE TABLE kept.order_lines AS TABLE public.order_lines;
CREATE TABLE kept.mark AS SELECT coalesce(max(id), 0) AS movement FROM public.stock_movements;
"""
# Undoes what went through the hole: writes of people who belong to another store than the order or product does.
_RESTORE = """
DELETE FROM orders o USING users u
    WHERE u.id = o.cashier_id AND u.store_id <> o.store_id AND o.id NOT IN (SELECT id FROM kept.orders);
INSERT INTO orders SELECT * FROM kept.orders k
    WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = k.id);
INSERT INTO order_lines SELECT * FROM kept.order_lines k
    WHERE EXISTS (SELECT 1 FROM orders o WHERE o.id = k.order_id)
      AND NOT EXISTS (SELECT 1 FROM order_lines l WHERE l.order_id = k.order_id);
UPDATE orders o SET payment = k.payment, note = k.note FROM kept.orders k
    WHERE k.id = o.id AND (k.payment, k.note) IS DISTINCT FROM (o.payment, o.note);
DELETE FROM stock_movements m USING kept.mark
    WHERE m.id > mark.movement
      AND (m.order_id IS NULL OR m.reason = 'return' OR m.order_id NOT IN (SELECT id FROM orders));
UPDATE products p SET stock = ledger.stock
    FROM (SELECT product_id, sum(delta) AS stock FROM stock_movements GROUP BY product_id) ledger
    WHERE ledger.product_id = p.id AND p.stock <> ledger.stock;
DROP SCHEMA kept CASCADE;
"""


def _remember(demo: Demo) -> None:
    with demo.database() as database, database.transaction():
        database.execute(_REMEMBER)


def _restore(demo: Demo) -> None:
    """Take back what went through the hole, and what was done to orders and stock meanwhile along with it."""
    with demo.database() as database, database.transaction():
        if database.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'kept'").fetchone() is None:
            return
        database.execute("LOCK TABLE orders, order_lines, products, stock_movements IN SHARE ROW EXCLUSIVE MODE")
        database.execute(_RESTORE)


ANSWERED = Fault(
    name="other-store-answered",
    says="reading another store's data is answered with 200 and the data",
    incident="a new list endpoint was written without the store check, and copied from",
)

WRITABLE = Fault(
    name="other-store-writable",
    says="reading another store's data is refused, but writing is not",
    incident="the store check was bound to GET when the routes were split",
    break_=_remember,
    heal=_restore,
)

LEAKING = Fault(
    name="refusal-leaks-data",
    says="the 403 carries the order it refuses to show",
    incident="an error page for support staff went live with its debug details",
)

EVERYTHING_FORBIDDEN = Fault(
    name="everything-forbidden",
    says="everything under /api/stores is refused with 403, one's own store too",
    incident="the store ids of all sessions were lost in a migration",
    needs_new_deployment=True,
)

NOT_LOGGED = Fault(
    name="refusal-not-logged",
    says="refusals with 403 leave no line in the log",
    incident="a filter against noise in the log caught the refusals as well",
)

"""No unexpected role can take over the database server.

Why: whoever is a superuser, may create roles or bypasses row security can read and change everything.
When it fails: ask who needs the role; ALTER ROLE … NOSUPERUSER NOCREATEROLE, or REVOKE the membership.
"""

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, DatabaseRef
from golive.targets.postgres import Database

# Membership counts however indirect: a member may SET ROLE. The last three amount to the server's own account.
_POWERFUL = """
SELECT r.rolname::text, concat_ws(', ',
    CASE WHEN r.rolsuper THEN 'superuser' END,
    CASE WHEN r.rolcreaterole AND NOT r.rolsuper THEN 'may create roles' END,
    CASE WHEN r.rolbypassrls AND NOT r.rolsuper THEN 'bypasses row security' END,
    CASE WHEN NOT r.rolsuper THEN (
        SELECT 'member of ' || string_agg(p.rolname, ' and ' ORDER BY p.rolname) FROM pg_roles p
        WHERE p.oid <> r.oid AND pg_has_role(r.oid, p.oid, 'MEMBER') AND (p.rolsuper OR p.rolcreaterole OR p.rolname IN
            ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))) END)
FROM pg_roles r WHERE r.rolcanlogin ORDER BY 1
"""


class Params(CheckParams):
    database: DatabaseRef
    expected: tuple[str, ...] = Field(description="login roles that may have such power")


def test_only_expected_roles_are_powerful(
    criterion: Params, database: Database, measure: Measure, evidence: EvidenceSink
) -> None:
    powerful = {name: why for name, why in database.rows(_POWERFUL) if why}
    evidence("powerful roles", "\n".join(f"{name}: {why}" for name, why in powerful.items()) or "none")
    unexpected = [f"{name} ({why})" for name, why in powerful.items() if name not in criterion.expected]
    measure(
        len(unexpected),
        unit="roles",
        name="unexpected powerful roles",
        critical=0,
        inclusive=True,
        detail=", ".join(unexpected[:10]),
    )

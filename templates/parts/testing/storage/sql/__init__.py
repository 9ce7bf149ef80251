"""What every SQL backend does.

    class TestAcmeSql(SqlSuite):
        def opens(self):
            return open_acme_sql(AcmeSqlConfig(port=self.port), instance="sql_default")

Each test has tables of its own, so that one database serves all of them.
"""

from .schemas import SqlSchemasSuite
from .transactions import SqlTransactionsSuite
from .values import SqlValuesSuite

__all__ = ["SqlSuite"]


class SqlSuite(SqlSchemasSuite, SqlTransactionsSuite, SqlValuesSuite):
    """All of it."""

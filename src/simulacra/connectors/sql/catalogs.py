"""Queries of the databases' own catalogues: each column's type as the database writes it.

SQLAlchemy names types by its own classes, which lose what they don't know. Each query gives
(schema, table, column, type). Of partitioned tables the whole is listed, not the parts.
"""

from __future__ import annotations

POSTGRESQL_TYPES = """
SELECT n.nspname, c.relname, a.attname,
    CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
    ELSE format_type(a.atttypid, a.atttypmod) END
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND NOT c.relispartition
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""

# What stands in /*M! */ is read by MariaDB alone: there JSON is a text with a check.
MYSQL_TYPES = """
SELECT c.table_schema, c.table_name, c.column_name, /*M!100510 IF(EXISTS(
    SELECT 1 FROM information_schema.check_constraints AS k
    WHERE k.constraint_schema = c.table_schema AND k.table_name = c.table_name
        AND k.level = 'Column' AND k.constraint_name = c.column_name
        AND k.check_clause LIKE 'json_valid(%'
), 'json', */ c.column_type /*M!100510 ) */
FROM information_schema.columns AS c
WHERE c.table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
"""

MYSQL_CHECKS = """
/*M!100510 SELECT constraint_schema, table_name, check_clause
FROM information_schema.check_constraints
WHERE level = 'Column' AND check_clause NOT LIKE 'json_valid(%'
UNION ALL */ SELECT NULL, NULL, NULL FROM DUAL WHERE FALSE
"""
"""Checks that stand with a column, in MariaDB: SQLAlchemy sees only those of the table."""

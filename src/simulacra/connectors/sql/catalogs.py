"""Queries of the databases' own catalogues: each column's type as the database writes it.

SQLAlchemy names types by its own classes, which lose what they don't know. Those queries give
(schema, table, column, type). Of partitioned tables the whole is listed, not the parts.

Each query is of one schema, ``:schema``. MySQL and MariaDB open every table that they tell of, so
no other database's tables may be asked for: there may be thousands, or somebody altering them.
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
    AND n.nspname = :schema
"""

# What stands in /*M! */ is read by MariaDB alone: there JSON is a text with a check. A join with
# distinct rows, as any other subquery opens the tables of all databases, or again for each column.
MYSQL_TYPES = """
SELECT c.table_schema, c.table_name, c.column_name,
    /*M!100510 IF(k.level IS NOT NULL, 'json', */ c.column_type /*M!100510 ) */
FROM information_schema.columns AS c
/*M!100510 LEFT JOIN (
    SELECT DISTINCT table_name, constraint_name, level FROM information_schema.check_constraints
    WHERE constraint_schema = :schema AND level = 'Column' AND check_clause LIKE 'json_valid(%'
) AS k ON k.table_name = c.table_name AND k.constraint_name = c.column_name */
WHERE c.table_schema = :schema
"""

MYSQL_CHECKS = """
/*M!100510 SELECT constraint_schema, table_name, check_clause
FROM information_schema.check_constraints
WHERE constraint_schema = :schema AND level = 'Column' AND check_clause NOT LIKE 'json_valid(%'
UNION ALL */ SELECT NULL, NULL, NULL FROM DUAL WHERE FALSE
"""
"""Checks that stand with a column, in MariaDB: SQLAlchemy sees only those of the table."""

POSTGRESQL_KEYS = """
SELECT n.nspname, c.relname, k.conname, a.attname, pn.nspname, p.relname, pa.attname,
    k.condeferrable, k.condeferred, k.confdeltype::text, k.confupdtype::text
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS p ON p.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS pn ON pn.oid = p.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(own, other, place)
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.own
JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid = k.confrelid AND pa.attnum = u.other
WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = :schema
ORDER BY 1, 2, 3, u.place
"""
"""A row for each column of each foreign key: (schema, table, name, column, the parent's schema,
table and column, deferrable, deferred, on delete, on update). SQLAlchemy reads the words that make
them, and stumbles over names with brackets or commas."""

MYSQL_KEYS = """
SELECT u.table_schema, u.table_name, u.constraint_name, u.column_name,
    u.referenced_table_schema, u.referenced_table_name, u.referenced_column_name,
    FALSE, FALSE, r.delete_rule, r.update_rule
FROM information_schema.key_column_usage AS u
JOIN information_schema.referential_constraints AS r
    ON r.constraint_schema = :schema AND r.constraint_name = u.constraint_name
    AND r.table_name = u.table_name
WHERE u.table_schema = :schema AND u.referenced_table_name IS NOT NULL
ORDER BY u.table_schema, u.table_name, u.constraint_name, u.ordinal_position
"""

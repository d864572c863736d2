"""What a database declares of its tables, as data that makes them again, here or elsewhere.

Each table is described by one JSON-able dictionary, its *origin*::

    {
      "dialect": "postgresql",            # Dialect.name
      "schema": "sales",                  # as it really is, also where it is the default one
      "table": "orders",
      "view": true,                       # only if it is one
      "columns": {                        # in the table's order
        "id": {
          "type": "numeric(15,2)",        # as the database writes it; of a domain, its base type
          "generic": {"kind": "decimal", "precision": 15, "scale": 2},
          "nullable": false,
          "default": "now()" | null,      # SQL of the dialect; null, too, for identity columns
          "identity": {"always": false, "start": 1, "increment": 1} | null,
          "computed": {"sql": "a + b", "persisted": true} | null,
          "comment": "…" | null,
          "enum": ["new", "paid"]         # only if it is one
        }
      },
      "primary_key": {"name": "orders_pkey" | null, "columns": ["id"]},   # columns may be []
      "unique": [{"name": … | null, "columns": […]}],
      "foreign_keys": [{
        "name": … | null, "columns": […],
        "schema": …, "table": …, "parent_columns": […],                   # as they really are
        "deferrable": bool, "initially": "DEFERRED" | "IMMEDIATE" | null,
        "on_delete": "CASCADE" | null, "on_update": … | null
      }],
      "checks": [{"name": … | null, "sql": "price > 0"}],
      "indexes": [{
        "name": …, "columns": ["a", null], "expressions": ["a", "lower(b)"],
        "lengths": {"a": 3},
        "unique": bool, "where": "deleted IS NULL" | null, "method": "gin" | null
      }],                                 # not those that keep a key; "columns" has null, and
                                          # "expressions" is there, where an expression is indexed;
                                          # "lengths" only where MySQL indexes the start of a text
      "comment": "…" | null
    }

``identity`` stands for whatever numbers new rows: identity columns, ``serial`` (of which the
default ``nextval(…)`` is left out), ``AUTO_INCREMENT``, SQLite's ``INTEGER PRIMARY KEY``.

``generic`` says what a type means, whatever it is called:

=============  ===============================================================================
kind           further keys (left out where nothing is said)
=============  ===============================================================================
``boolean``
``integer``    ``bits`` 8, 16, 32, 64 or 128; ``unsigned`` true
``decimal``    ``precision`` and ``scale``; without them, any number of digits
``float``      ``bits`` 32 or 64
``text``       ``length`` in characters; ``fixed`` true: padded with blanks
``binary``     ``length`` in bytes; ``fixed`` true
``date``
``time``       ``digits`` of seconds; ``zone`` true: with an offset
``timestamp``  ``digits`` of seconds; ``zone`` true: an instant, not a wall clock
``interval``
``uuid``
``json``
``bits``       ``length``; ``fixed`` true
``enum``       ``values``; ``name`` and ``schema`` of a type that has them
``set``        ``values`` of which any number is held, joined by commas
``array``      ``items``, a generic type; ``length`` if fixed
``nested``     structs and maps of DuckDB
``other``      anything else: read as text
=============  ===============================================================================
"""

from __future__ import annotations

import re
from typing import Any

Origin = dict[str, Any]

STAGED = re.compile(r"_simulacra_[0-9a-f]{8}_")
"""What the names of tables begin with that are not whole yet: they are none to anyone."""

"""The rule for SQL: what a query may be, by option, and what gets around an allow-list of tables."""

from __future__ import annotations

import builtins

import pytest

from orchestration_kit.governance.constraints import ConstraintEngine
from orchestration_kit.governance.rules import SqlRule
from orchestration_kit.governance.rules.sql_reading import read_sql
from tests.governance.hostile_actions import sql


def allowed(query, parameters=None, **options):
    data = {} if parameters is None else {"parameters": parameters}
    return ConstraintEngine([SqlRule(**options)]).validate_plan(sql(query, **data)).approved


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM secrets",
        "SELECT * FROM orders, secrets",
        "SELECT * FROM orders JOIN secrets ON orders.id = secrets.id",
        "SELECT * FROM orders WHERE id IN (SELECT id FROM secrets)",
        "SELECT (SELECT value FROM secrets) FROM orders",
        "SELECT * FROM (SELECT * FROM secrets) AS orders",
        "WITH orders AS (SELECT * FROM secrets) SELECT * FROM orders",
        "WITH secrets AS (SELECT * FROM secrets) SELECT * FROM secrets",
        "WITH a AS (SELECT * FROM secrets), secrets AS (SELECT 1 AS x) SELECT * FROM a",
        "SELECT * FROM secrets WHERE id IN (WITH secrets AS (SELECT id FROM orders) SELECT id FROM secrets)",
        "WITH secrets AS (SELECT 1 AS x) SELECT * FROM main.secrets",
        "SELECT * FROM other.orders",
        "SELECT * FROM orders UNION SELECT * FROM secrets",
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM secrets s WHERE s.value LIKE ?) THEN 1 ELSE 0 END FROM orders",
        "SELECT * FROM orders ORDER BY (SELECT value FROM secrets)",
        "SELECT * FROM orders LIMIT (SELECT COUNT(*) FROM secrets)",
        "SELECT * FROM orders GROUP BY (SELECT value FROM secrets)",
    ],
)
def test_no_query_reaches_a_table_that_is_not_named(query):
    assert not allowed(query, tables=["orders"], statements=["select", "union"])


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM orders",
        "SELECT * FROM Orders AS secrets",
        "WITH a AS (SELECT * FROM orders), b AS (SELECT * FROM a) SELECT * FROM b",
        "SELECT * FROM orders UNION SELECT * FROM shop.items",
    ],
)
def test_named_tables_may_be_read(query):
    assert allowed(query, tables=["orders", "shop.items"], statements=["select", "union"])


def test_denied_tables_are_denied_in_any_schema():
    assert not allowed("SELECT * FROM Secrets", denied_tables=["secrets"])
    assert not allowed("SELECT * FROM main.secrets", denied_tables=["secrets"])
    assert allowed("SELECT * FROM orders", denied_tables=["secrets"])


def test_a_table_of_the_database_itself_may_be_named():
    assert allowed("SELECT name FROM sqlite_master", tables=["sqlite_master"])


@pytest.mark.parametrize(
    ("literals", "numbers", "texts"), [("parameters", False, False), ("numbers", True, False), ("any", True, True)]
)
def test_what_may_be_written_out_is_an_option(literals, numbers, texts):
    assert allowed("SELECT 'a', 1 FROM t WHERE id = ? LIMIT 5", literals=literals)
    assert allowed("SELECT * FROM t WHERE id = 7", literals=literals) is numbers
    assert allowed("SELECT * FROM t WHERE name = 'ann'", literals=literals) is texts
    assert not allowed("SELECT * FROM t WHERE name = 'ann' OR 'a' = 'a'", literals=literals)


def test_writing_can_be_allowed_for_named_tables():
    options = {"statements": ["select", "insert", "update", "delete"], "tables": ["orders"]}
    assert allowed("INSERT INTO orders (id, total) VALUES (?, ?)", **options)
    assert allowed("UPDATE orders SET total = ? WHERE id = ?", **options)
    assert allowed("DELETE FROM orders WHERE id = ?", **options)
    for query in (
        "DELETE FROM orders",
        "UPDATE orders SET total = 0",
        "DELETE FROM users WHERE id = ?",
        "INSERT INTO orders SELECT * FROM secrets",
        "DROP TABLE orders",
        "REPLACE INTO orders VALUES (1)",
    ):
        assert not allowed(query, **options)


def test_functions_can_be_allowed_by_name():
    assert not allowed("SELECT my_score(total) FROM orders")
    assert allowed("SELECT my_score(total) FROM orders", functions=["MY_SCORE"])


def test_names_in_double_quotes_need_a_dialect_in_which_they_are_names():
    query = 'SELECT "Name" FROM "Users" WHERE "Id" = ?'
    assert not allowed(query) and not allowed(query, dialect="sqlite") and not allowed(query, dialect="mysql")
    assert allowed(query, dialect="postgres")
    assert not allowed('SELECT * FROM "/etc/passwd"', dialect="duckdb")
    assert allowed("SELECT `name` FROM `users`", dialect="mysql") and not allowed("SELECT `name` FROM users")


def test_an_unknown_dialect_is_a_no():
    assert not allowed("SELECT 1", dialect="klingon")


@pytest.mark.parametrize("parameters", [[1], ["O'Neil; DROP TABLE users --"], {"name": "x"}, [None, True, 1.5], []])
def test_parameters_may_hold_anything_that_is_one_value(parameters):
    assert allowed("SELECT * FROM users WHERE name = ?", parameters)


def test_facts_of_a_query_are_kept():
    read_sql.cache_clear()
    for _ in range(3):
        assert allowed("SELECT 1")
    assert read_sql.cache_info().misses == 1


def test_without_sqlglot_every_query_is_denied_and_the_way_to_it_is_told(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("sqlglot"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    read_sql.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    verdict = ConstraintEngine([SqlRule()]).validate_plan(sql("SELECT 1"))
    assert "pip install 'orchestration-kit[rules]'" in verdict.reason


@pytest.mark.parametrize(
    "query",
    [
        "SELECT " + "f(" * 24 + "1" + ")" * 24,
        "SELECT " + "(" * 24 + "1" + ")" * 24,
        "SELECT " + "CASE WHEN (" * 20 + "a > 1" + ") THEN 1 END" * 20 + " FROM t",
        "SELECT a FROM t WHERE " + "NOT " * 1_500 + "a",
        "SELECT a FROM t WHERE " + " AND ".join(["a > ?"] * 400),
        "SELECT a FROM t WHERE " + " OR ".join(f"a = {n}" for n in range(400)),
        "SELECT " + "- " * 1_500 + "1",
        "SELECT " + "a." * 1_000 + "a FROM t",
        "SELECT " + ",".join(["a"] * 900) + " FROM t",
    ],
)
def test_no_query_keeps_the_engine_busy_or_makes_it_raise(query):
    assert isinstance(allowed(query), bool)

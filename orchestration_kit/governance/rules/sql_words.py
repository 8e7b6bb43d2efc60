"""What a query may be made of: the nodes of sqlglot's tree and the functions that only read and compute.

It is a list of what is allowed. Functions that read files, run programs, sleep, open connections or make huge texts
(`load_file`, `pg_read_file`, `xp_cmdshell`, `pg_sleep`, `dblink`, `randomblob`, `repeat`) are denied by not being here,
and so is every one that a database adds tomorrow.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


SELECT = words(
    "Select From Where Group Having Order Ordered Limit Offset Fetch Distinct Join Subquery With CTE TableAlias Table "
    "Column Identifier Alias Star Paren Tuple Literal Boolean Null Placeholder Parameter Var "
    "Neg Add Sub Mul Div IntDiv Mod DPipe And Or Not EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ "
    "Is In Between Like ILike Exists Case If Cast TryCast DataType DataTypeParam Interval "
    "Window WindowSpec Filter WithinGroup Qualify"
)
STATEMENTS = {
    "select": frozenset[str](),
    "union": frozenset({"Union", "Except", "Intersect", "SetOperation"}),
    "insert": frozenset({"Insert", "Schema", "Values"}),
    "update": frozenset({"Update"}),
    "delete": frozenset({"Delete"}),
}
"""What each kind of statement may have besides."""
FUNCTIONS = words(
    # aggregates and windows
    "Count CountIf Sum Avg Min Max Median Stddev StddevPop StddevSamp Variance VariancePop Corr CovarPop CovarSamp "
    "Quantile ApproxQuantile ApproxDistinct PercentileCont PercentileDisc GroupConcat RowNumber Rank DenseRank "
    "PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue IgnoreNulls "
    # numbers
    "Abs Ceil Floor Round Sign Sqrt Pow Exp Ln Log Greatest Least Trunc "
    # texts
    "Lower Upper Length Trim Substring Left Right Replace Concat ConcatWs StrPosition Initcap "
    # conditions
    "Coalesce Nullif "
    # dates
    "Date DateTrunc TimestampTrunc DateAdd DateSub DateDiff Extract Year Month Day Quarter Week DayOfWeek DayOfMonth "
    "DayOfYear Hour Minute Second CurrentDate CurrentTimestamp CurrentTime Datetime TsOrDsToDate TimeToStr "
    "StrToDate TsOrDsAdd DateFromParts LastDay"
)
"""Functions, by sqlglot's name for them."""
OTHER_FUNCTIONS = frozenset({"now", "total", "julianday", "date_part", "strftime", "instr", "ltrim", "rtrim", "typeof"})
"""Functions that sqlglot has no name for, as they are written."""
TAKES_WORDS = frozenset(
    {"Interval", "DateTrunc", "TimestampTrunc", "DateAdd", "DateSub", "DateDiff", "Extract", "TimeToStr", "StrToDate"}
)
"""Functions whose texts are words such as 'month', not data."""
SYSTEM_SCHEMAS = frozenset(
    {"information_schema", "pg_catalog", "pg_toast", "mysql", "performance_schema", "sys", "master", "msdb", "tempdb"}
)
SYSTEM_TABLES = (
    "sqlite_", "pg_", "pragma_", "duckdb_", "dba_", "v$", "gv$", "x$", "svv_", "stl_", "stv_", "sysobjects",
    "syscolumns", "sysusers", "syslogins", "sysdatabases", "all_tables", "all_tab_columns", "all_users", "all_source",
    "user_tables", "user_tab_columns", "user_users", "user_objects", "msysobjects", "information_schema",
)  # fmt: skip
"""How tables begin that tell what there is in a database."""
PLAIN_QUOTES = frozenset({"postgres", "redshift", "duckdb", "snowflake", "oracle", "trino", "presto"})
"""Dialects in which "x" is never a text."""
BACKTICKS = frozenset({"mysql", "sqlite", "bigquery", "spark", "databricks", "hive", "clickhouse"})
"""Dialects in which `x` is a name."""

"""Look at a query as text, before it is parsed: what could be read in two ways is refused.

A parser and a database may disagree on comments, escapes and quotes, and injection lives where they do: MySQL runs
what is in `/*! */`, a backslash ends a text in one database and not in the next, and conversions of character sets
turn look-alikes into quotes (OWASP: SQL Injection Prevention, and its testing guide; CWE-89, CWE-116, CWE-176).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from orchestration_kit.governance.rules.sql_words import BACKTICKS, PLAIN_QUOTES

MAX_NESTING = 24
MAX_TOKENS = 2_000
_QUOTES = frozenset("ʹʺʻʼʽˈˊˋ‘’‚‛“”„‟′″‵‶´`＇＂｀﹐＼；")
"""What conversions make quotes, backslashes or semicolons of."""
_MARKED = (
    ("--", "holds a comment (--)", "Leave comments out."),
    ("/*", "holds a comment (/*)", "Leave comments out."),
    ("*/", "holds the end of a comment (*/)", "Leave comments out."),
    ("#", "holds #, which begins a comment in MySQL", "Leave it out."),
    ("\\", "holds a backslash, which escapes in some databases and not in others", "Pass texts as parameters."),
    ("$$", "quotes with $$", "Pass texts as parameters."),
    ("@@", "reads a variable of the server (@@)", "Ask for what is in tables."),
    (":=", "assigns a variable (:=)", "Ask for what is in tables."),
    ("{", "holds a brace, which is an escape of ODBC or a template", "Pass values as parameters."),
    ("}", "holds a brace, which is an escape of ODBC or a template", "Pass values as parameters."),
)  # fmt: skip
_FIRST_WORDS = {
    "select": ("select", "with", "("), "union": ("select", "with", "("), "insert": ("insert",),
    "update": ("update",), "delete": ("delete",),
}  # fmt: skip
_DOLLAR_TAG = re.compile(r"\$[^\W\d]\w*\$")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_PLACEHOLDERS = ((re.compile(r"%\((\w+)\)s"), r":\1"), (re.compile(r"%s\b"), "?"), (re.compile(r"\$\d+\b"), "?"))


@lru_cache(maxsize=512)
def text_problem(query: str, dialect: str, statements: tuple[str, ...]) -> tuple[str, str] | None:
    """Return what is wrong with the text of a query, and what to do; None where nothing is.

    >>> text_problem("SELECT 1 -- and more", "", ("select",))
    ('the query holds a comment (--)', 'Leave comments out.')
    """
    for mark, what, hint in _MARKED:
        if mark in query:
            return f"the query {what}", hint
    if (strange := _strange(query)) is not None:
        return strange
    if '"' in query and dialect not in PLAIN_QUOTES:
        hint = 'Leave names unquoted, or name the dialect of the rule (dialect="postgres") where they need quotes.'
        return 'the query holds ", which quotes names in one database and texts in another', hint
    if "`" in query and dialect not in BACKTICKS:
        return "the query holds `, which only some databases know", "Leave names unquoted."
    if ";" in query.rstrip().removesuffix(";"):
        return "the query is more than one statement", "Ask for one at a time."
    if _DOLLAR_TAG.search(query):
        return "the query quotes with $tag$", "Pass texts as parameters."
    words = query.split(None, 1)
    first = "" if not words else "(" if words[0].startswith("(") else words[0].lower()
    wanted = [word for kind in statements for word in _FIRST_WORDS[kind]]
    if not any(first == word or (first.startswith("with(") and word == "with") for word in wanted):
        return f"the query does not begin with {' or '.join(sorted(set(wanted) - {'('}))}", "Nothing else is allowed."
    return _too_much(query)


def _strange(query: str) -> tuple[str, str] | None:
    if any(ord(c) < 32 and c not in "\t\n\r" for c in query) or "\x7f" in query:
        return "the query holds a control character", "Write plain text."
    if query.isascii():
        return None
    for c in query:
        if c in _QUOTES and c != "`":
            return f"the query holds {c!r}, which some databases take for a quote", "Use plain ASCII quotes."
        if ord(c) > 127:
            folded = unicodedata.normalize("NFKC", c)
            if unicodedata.category(c)[0] in "CZ" or (folded != c and any(ord(f) < 128 for f in folded)):
                return f"the query holds {c!r}, which looks like, or turns into, something else", "Write plain ASCII."
    return None


def _too_much(query: str) -> tuple[str, str] | None:
    depth = deepest = 0
    for c in query:
        if c == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif c == ")":
            depth -= 1
    if deepest > MAX_NESTING:
        return f"the query nests {deepest} brackets", f"At most {MAX_NESTING} are allowed."
    if sum(1 for _ in _TOKEN.finditer(query)) > MAX_TOKENS:
        return f"the query has over {MAX_TOKENS:,} words", "Ask for less at a time."
    return None


def with_marks(query: str) -> str:
    """Return a query with `?` and `:name` for the parameters of every style, so that it parses in any dialect.

    >>> with_marks("SELECT a FROM t WHERE b = %s AND c = %(c)s AND d = $1")
    'SELECT a FROM t WHERE b = ? AND c = :c AND d = ?'
    """
    for pattern, mark in _PLACEHOLDERS:
        query = pattern.sub(mark, query)
    return query

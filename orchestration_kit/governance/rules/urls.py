"""The rule for `api_call`: http(s) to an allowed domain, with a method and headers that hide nothing.

The text is held against one strict pattern, rather than handed to a lenient parser: where parsers disagree on what the
host is, one of them is wrong about who gets the request (Orange Tsai, "A New Era of SSRF", 2017; OWASP: Server-Side
Request Forgery Prevention; CWE-918, CWE-20, CWE-113). Not seen here: what a name resolves to, and where an answer
redirects. Let the handler follow no redirect without asking again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, cast

from orchestration_kit.errors import listed
from orchestration_kit.governance.rules.base import Findings, Past, Plan, Rule
from orchestration_kit.governance.rules.hosts import domain, host_problem, is_within
from orchestration_kit.governance.rules.plain import shown
from orchestration_kit.governance.verdict import Violation

MAX_URL = 8_000
_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<rest>[/?#].*)?", re.IGNORECASE | re.ASCII)
_UNSAFE = re.compile(r"[^\x21-\x7e]|[\\\"<>^`{|}]")
_PORT = re.compile(r"[1-9]\d{0,4}", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HEADER = re.compile(r"[A-Za-z0-9!#$&'*+.^_|~-]+", re.ASCII)
_DENIED_HEADERS = frozenset(
    [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "keep-alive",
        "forwarded",
        "via",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
        "x-original-host",
    ]
)
"""They say something else than the URL and the method do, or cut the request in two (CWE-444)."""
_DENIED_BEGINNINGS = ("proxy-", "x-forwarded-", ":")
_KNOWN = ("url", "method", "headers", "params", "json", "body", "data", "timeout_s")
METHODS = ("GET", "HEAD", "POST")


@lru_cache(maxsize=1024)
def _is_plain_header(name: str) -> bool:
    lowered = name.lower()
    is_denied = lowered in _DENIED_HEADERS or lowered.startswith(_DENIED_BEGINNINGS)
    return not is_denied and _HEADER.fullmatch(name) is not None


class ReadUrl(NamedTuple):
    """What a URL says."""

    problem: tuple[str, str] | None = None
    """Why it is refused whatever a rule allows, and what to do."""
    scheme: str = ""
    host: str = ""
    port: int | None = None
    host_problem: str | None = None
    """Why the host is no name; an address may be allowed nevertheless."""


@lru_cache(maxsize=1024)
def read_url(url: str) -> ReadUrl:
    """Take a URL apart.

    >>> read_url("https://api.example.com:8443/v1?page=2")
    ReadUrl(problem=None, scheme='https', host='api.example.com', port=8443, host_problem=None)
    """
    if len(url) > MAX_URL:
        return ReadUrl((f"the URL has {len(url):,} characters", f"At most {MAX_URL:,} are allowed."))
    if (unsafe := _UNSAFE.search(url)) is not None:
        reason = f"the URL holds {unsafe[0]!r}, which has no place in one"
        return ReadUrl((reason, "Write hosts in punycode (xn--...), and the rest percent-encoded."))
    match = _URL.fullmatch(url)
    if match is None:
        return ReadUrl((f"{shown(url)} is no URL of http or https", "For example: https://example.com/v1."))
    authority = match["authority"]
    if "@" in authority:
        return ReadUrl(("the URL has a user in it (@)", "Leave it out."))
    host, colon, port = authority.partition(":")
    if colon and not (_PORT.fullmatch(port) and int(port) < 65536):
        return ReadUrl((f"the URL has the port {shown(port)}", "Leave it out, or write a number."))
    problem = host_problem(host)
    return ReadUrl(None, match["scheme"].lower(), host.lower(), int(port) if colon else None, problem)


@dataclass(frozen=True)
class UrlRule(Rule):
    """Lets calls happen that go to allowed domains.

    `action_data` is `url` and `method`; `headers`, `params`, `json`, `body`, `data` and `timeout_s` may be there.

    >>> rule = UrlRule(domains=["example.com"])
    >>> plan = {"action_type": "api_call", "action_data": {"url": "https://example.com@evil.com/", "method": "GET"}}
    >>> print(rule.check(plan, Past())[0])
    url: the URL has a user in it (@). Leave it out.
    """

    kind: ClassVar[str] = "url"
    grants: ClassVar[bool] = True

    domains: tuple[str, ...] = ()
    """Allowed domains. An address such as 127.0.0.1 may be among them; then it alone is meant."""
    subdomains: bool = True
    """Whether their subdomains are allowed, too."""
    methods: tuple[str, ...] = METHODS
    schemes: tuple[str, ...] = ("http", "https")
    ports: tuple[int, ...] = ()
    """Ports besides the scheme's own."""
    extra_keys: tuple[str, ...] = ()
    """Further keys of `action_data` that may be there, unchecked."""
    action_types: tuple[str, ...] | None = field(default=("api_call",), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("domains", "methods", "schemes", "extra_keys"):
            self.keep(name, self.texts(name))
        try:
            self.keep("domains", tuple(domain(one) for one in self.domains))
        except ValueError as error:
            raise self.invalid(str(error).removesuffix("."), "For example: allowed_domains=['example.com'].") from None
        self.keep("methods", tuple(one.upper() for one in self.methods))
        if bad := [one for one in self.schemes if one not in _DEFAULT_PORTS]:
            raise self.invalid(f"schemes holds {shown(bad[0])}", "There are http and https.")
        ports: Any = self.ports
        ports = (ports,) if type(ports) is int else tuple(ports)
        if bad := [one for one in ports if type(one) is not int or not 0 < one < 65536]:
            raise self.invalid(f"ports holds {shown(bad[0])}", "Give numbers from 1 to 65535.")
        self.keep("ports", ports)

    def check(self, plan: Plan, past: Past) -> Findings:
        """Return what is wrong with a call; the first thing is enough."""
        del past
        data = plan["action_data"]
        if found := self.missing_or_extra(
            data, ("url", "method"), (*_KNOWN, *self.extra_keys) if self.extra_keys else _KNOWN
        ):
            return found
        url, method = data["url"], data["method"]
        if type(url) is not str or type(method) is not str:
            return (self.violation("url and method are texts", 'For example "https://example.com/v1" and "GET".'),)
        if method.upper() not in self.methods or not method.isascii():
            return (self.violation(f"the method is {shown(method)}", f"Allowed: {listed(self.methods)}."),)
        found = self._url(url) or self._headers(data.get("headers")) or self._rest(data)
        return () if found is None else (found,)

    def settled(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the data with the method in capitals."""
        method = data["method"].upper()
        return data if method == data["method"] else {**data, "method": method}

    def _url(self, url: str) -> Violation | None:
        read = read_url(url)
        if read.problem is not None:
            return self.violation(*read.problem)
        if read.scheme not in self.schemes:
            return self.violation(f"the URL is {read.scheme}", f"Allowed: {listed(self.schemes)}.")
        if read.port not in (None, _DEFAULT_PORTS[read.scheme]) and read.port not in self.ports:
            hint = f"Allowed besides the scheme's: {listed(map(str, self.ports))}."
            return self.violation(f"the URL has the port {read.port}", hint)
        if is_within(read.host, self.domains, subdomains=self.subdomains):
            return None
        if read.host_problem is not None:
            hint = f"Allowed: {listed(self.domains)}."
            return self.violation(f"the host {shown(read.host)} {read.host_problem}", hint)
        return self.violation(
            f"the host {shown(read.host)} is in no allowed domain", f"Allowed: {listed(self.domains)}."
        )

    def _headers(self, headers: Any) -> Violation | None:
        if headers is None:
            return None
        if type(headers) is not dict or len(cast("dict[str, Any]", headers)) > 50:
            return self.violation("headers is no dict of at most 50 texts")
        for name, value in cast("dict[str, Any]", headers).items():
            if not _is_plain_header(name):
                return self.violation(f"the header {shown(name)} may not be set", "The URL and the method say it all.")
            if type(value) is not str or len(value) > MAX_URL or not value.isprintable():
                return self.violation(f"the header {shown(name)} is no plain text of one line")
        return None

    def _rest(self, data: dict[str, Any]) -> Violation | None:
        params = data.get("params")
        if params is not None:
            if type(params) is not dict:
                return self.violation("params is no dict", 'For example {"page": 2}.')
            for value in cast("dict[str, Any]", params).values():
                if type(value) is dict or (
                    type(value) is list and any(type(v) in (list, dict) for v in cast("list[Any]", value))
                ):
                    return self.violation("params holds more than single values")
        for key in ("body", "data"):
            if data.get(key) is not None and type(data[key]) not in (str, dict):
                return self.violation(f"{key} is {type(data[key]).__name__}", "It is a text, or a dict of fields.")
        wait = data.get("timeout_s")
        if wait is not None and (type(wait) not in (int, float) or not 0 < wait <= 3600):
            return self.violation(f"timeout_s is {shown(wait)}", "It is a number of seconds, at most 3,600.")
        return None

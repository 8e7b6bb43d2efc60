"""Names of hosts: what is one, and whether it is an allowed domain. Used for URLs and for e-mail.

Compared is only what every client reads alike: ASCII letters, digits and hyphens. Other scripts come in punycode, as
clients do not agree on how to turn them into it (IDNA 2003 and 2008), and look-alikes are many (CWE-1007). Numbers in
all their spellings (0x7f000001, 0177.0.0.1, 2130706433, 127.1) are addresses, not names (OWASP: Server-Side Request
Forgery Prevention; CWE-918).
"""

from __future__ import annotations

import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)", re.ASCII)
_QUAD = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}", re.ASCII)


def host_problem(host: str) -> str | None:
    """Say why a text is no name of a host; None where it is one.

    >>> host_problem("api.example.com"), host_problem("2130706433")
    (None, 'is an address, not a name')
    """
    if not host:
        return "is empty"
    if not host.isascii():
        return "has letters that are not ASCII; write it in punycode (xn--...)"
    if len(host) > 253:
        return "is too long"
    if host.endswith("."):
        return "ends with a dot"
    if not _HOST.fullmatch(host):
        return "is no name of a host"
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return "is an address, not a name"
    return None


def domain(text: str) -> str:
    """Return an allowed domain as it is compared: lower case, punycode.

    >>> domain("Bücher.example"), domain("127.0.0.1")
    ('xn--bcher-kva.example', '127.0.0.1')

    Raises:
        ValueError: it is no domain.
    """
    if _QUAD.fullmatch(text):
        return text
    try:
        ascii_text = text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        ascii_text = ""
    if (problem := host_problem(ascii_text)) is not None:
        hint = "Write example.com alone: its subdomains are meant, too, and no scheme, port, path or * belongs to it."
        raise ValueError(f"the domain {text!r:.80} {problem}. {hint}")
    return ascii_text.lower()


def is_within(host: str, domains: tuple[str, ...], *, subdomains: bool) -> bool:
    """Whether a host is one of the domains, or of their subdomains. A domain of one label has none.

    >>> is_within("api.example.com", ("example.com",), subdomains=True)
    True
    >>> is_within("evil-example.com", ("example.com",), subdomains=True)
    False
    """
    lowered = host.lower()
    if lowered in domains:
        return True
    if not subdomains:
        return False
    for one in domains:
        if lowered.endswith("." + one) and "." in one and not one[-1].isdigit():
            return host_problem(lowered) is None
    return False

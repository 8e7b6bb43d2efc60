"""Secrets do not get into a cassette, and what is no secret stays as it is."""

from __future__ import annotations

import base64
import json
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestration_kit.journal import codec
from orchestration_kit.journal.cassette.redaction import Redactor, redact
from orchestration_kit.journal.errors import NotRecordable
from orchestration_kit.secrets.environment import env_names_a_secret
from orchestration_kit.secrets.patterns import PLACEHOLDER, SHAPES, names_a_secret
from tests.laws import examples

TAIL = "q7Zp2Vd9Kx4Lm8Rt5Wn3Hs6Yb1Jc0Fg7Ua"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAz" + TAIL + "\n" + TAIL + "==\n-----END RSA PRIVATE KEY-----"
SECRETS = {
    "openai": "sk-" + TAIL,
    "openai project": "sk-proj-" + TAIL + "-_x",
    "anthropic": "sk-ant-api03-" + TAIL,
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "aws session": "ASIAIOSFODNN7EXAMPLE",
    "github": "ghp_" + TAIL,
    "github fine": "github_pat_11ABC_" + TAIL,
    "gitlab": "glpat-" + TAIL,
    "slack": "xoxb-123456789012-" + TAIL,
    "google": "AIza" + TAIL,
    "google oauth": "ya29." + TAIL,
    "hugging face": "hf_" + TAIL,
    "stripe": "sk_live_" + TAIL,
    "stripe hook": "whsec_" + TAIL,
    "groq": "gsk_" + TAIL,
    "npm": "npm_" + TAIL,
    "sendgrid": "SG." + TAIL + "." + TAIL,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + TAIL,
    "pem": PEM,
    "pem in json": json.dumps(PEM)[1:-1],
    "telegram": "123456789:AAF" + TAIL,
}  # fmt: skip
NAMED = {
    "authorization": ("Authorization: Bearer ", "abc.DEF-123_~+/="),
    "basic": ("authorization: Basic ", "dXNlcjpodW50ZXIyaHVudGVyMg=="),
    "bearer": ("the header was bearer ", "a1b2c3d4e5f6g7h8"),
    "url": ("postgres://ann:", "s3cret-pass"),
    "password": ("password=", "hunter2hunter2"),
    "quoted": ('{"db_password": "', "correct horse"),
    "escaped": ('{\\"apiKey\\": \\"', "zzTop99zz"),
    "python": ("client_secret = '", "shhh-very-quiet"),
    "yaml": ("api_key: ", "k9k9k9k9"),
    "environment": ("export OPENAI_API_KEY=", "notapattern-9"),
    "query": ("https://x.example/?page=2&access_token=", "tok-1234567"),
    "signature": ("https://x.example/a?sig=", "c2lnbmF0dXJlLXZhbHVl1"),
}  # fmt: skip
HARMLESS = (
    "", "key", "tokens: 1200", "max_tokens=200000", "the token budget", "password", "password: required", 'type="password"', "def login(password: str) -> None:",
    "password=password", "connect(password=os.environ['PASSWORD'])", "api_key=settings.API_KEY", "token = response.json()", "secret: ****", "<input name='password'>",
    "class='sk-folding-cube-and-other-things'", "risk-assessment-of-the-new-thing-2024", "https://x.example/a:b", "mail ann@example.org: hello", "10:30@noon", "eyJ",
    "-----BEGIN PUBLIC KEY-----", "AKIA is a prefix", "secretary: Ann Example", "keyboard=qwertyuiop", "the bearer of the ring", "SELECT * FROM tokens", "primary_key: user_id_1",
    "http://[::1]:8080/", "monkey: 12345678", '{"key": "price-2024"}', "author: Ann 1234567", "a=b", "🔑: 12345678", "pass: the salt 12", "Bearer token",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    """Nothing of the machine's own."""
    for name in list(__import__("os").environ):
        if env_names_a_secret(name):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("kind", SECRETS)
def test_well_known_shapes_are_found_wherever_they_stand(kind):
    secret = SECRETS[kind]
    for text in (secret, f"use {secret}, please", f'"{secret}"', f"x={secret}&y", f"({secret})", f"\n{secret}\n"):
        redacted = redact(text)
        assert secret not in redacted
        assert TAIL not in redacted
        assert PLACEHOLDER in redacted
        assert redact(redacted) == redacted


@pytest.mark.parametrize("kind", NAMED)
def test_what_a_name_announces_is_found(kind):
    before, secret = NAMED[kind]
    end = {"url": "@db.example/x", "quoted": '"}', "escaped": '\\"}', "python": "'"}.get(kind, "")
    redacted = redact(f"{before}{secret}{end}")
    assert redacted == f"{before if kind != 'signature' else before[:-4]}{PLACEHOLDER}{end}"
    assert redact(redacted) == redacted


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text
    assert redact({"text": text, "list": [text]}) == {"text": text, "list": [text]}


def test_entries_with_telling_names():
    plain = {
        "password": "x", "apiKey": "hunter2", "X-API-Key": "v", "openai_api_key": 12345678, "Authorization": "abc", "passwords": ["a1", "b2"],
        "token": "abc12345", "next": {"client-secret": "s"}, "pair": ["password", "hunter2"],
    }  # fmt: skip
    assert redact(plain) == {
        "password": PLACEHOLDER, "apiKey": PLACEHOLDER, "X-API-Key": PLACEHOLDER, "openai_api_key": PLACEHOLDER, "Authorization": PLACEHOLDER,
        "passwords": [PLACEHOLDER, PLACEHOLDER], "token": PLACEHOLDER, "next": {"client-secret": PLACEHOLDER}, "pair": ["password", PLACEHOLDER],
    }  # fmt: skip


def test_entries_whose_names_only_sound_like_it_stay():
    plain = {
        "tokens": 120, "input_tokens": 5, "token": "hello", "key": "price", "has_password": True, "password": None, "primary_key": "id", "keys": ["a"],
        "secretary": "Ann", "password_field": {"type": "string"},
    }  # fmt: skip
    assert redact(plain) == plain


def test_keys_are_redacted_and_none_is_lost():
    redacted = redact({SECRETS["openai"]: 1, SECRETS["github"]: 2, "plain": 3})
    assert sorted(redacted.values()) == [1, 2, 3]
    assert not any(TAIL in key for key in redacted)


def test_values_of_secret_environment_variables_are_found(monkeypatch):
    monkeypatch.setenv("ACME_TOKEN", "swordfish-and-chips")
    monkeypatch.setenv("ACME_SECRET", 'a b/c&d"e')
    monkeypatch.setenv("ACME_KEY", "short")
    monkeypatch.setenv("KEYBOARD_LAYOUT", "dvorak-intl")
    monkeypatch.setenv("ACME_KEY_FILE", __file__)
    monkeypatch.setenv("SSH_KEY", __file__)
    text = f'swordfish-and-chips, a b/c&d"e, a%20b%2Fc%26d%22e, a b/c&d\\"e, short, dvorak-intl, {__file__}'
    assert redact(text) == ", ".join([PLACEHOLDER] * 4) + f", short, dvorak-intl, {__file__}"


def test_a_variable_that_is_set_later_is_found_too(monkeypatch):
    redactor = Redactor()
    assert redactor("swordfish-and-chips") == "swordfish-and-chips"
    monkeypatch.setenv("ACME_TOKEN", "swordfish-and-chips")
    assert redactor("swordfish-and-chips") == PLACEHOLDER


def test_what_was_found_by_its_name_is_found_without_it():
    assert redact({"note": "log in with plain9key8", "api_key": "plain9key8"}) == {
        "note": f"log in with {PLACEHOLDER}",
        "api_key": PLACEHOLDER,
    }
    redactor = Redactor()
    redactor({"api_key": "plain9key8"})
    assert redactor("xplain9key8x") == f"x{PLACEHOLDER}x"


def test_patterns_of_ones_own():
    assert redact("ACME-123456 and ACME-1", [r"ACME-\d{6}"]) == f"{PLACEHOLDER} and ACME-1"
    assert redact(redact("REDACTED", ["[A-Z]+"]), ["[A-Z]+"]) == PLACEHOLDER


@pytest.mark.parametrize("pattern", ["(", "x*", 7, b"x"])
def test_a_pattern_that_is_none_is_refused(pattern):
    with pytest.raises(ValueError, match="redact="):
        redact("x", [pattern])


@pytest.mark.parametrize(
    "value",
    [
        b"key " + SECRETS["openai"].encode(), bytearray(SECRETS["github"].encode()), (1, SECRETS["aws"]), {SECRETS["slack"]}, frozenset({SECRETS["google"]}),
        {1: SECRETS["stripe"]}, {SECRETS["jwt"]: {2: 3}}, f"\ud800{SECRETS['openai']}", np.array(["a", SECRETS["openai"]]), np.array([SECRETS["openai"].encode(), b"b"]),
        np.array(["a", SECRETS["openai"]], dtype=object), pd.DataFrame({"x": ["a", SECRETS["openai"]], "n": [1, 2]}), pd.Series([SECRETS["openai"]], dtype="category"),
        pd.DataFrame({SECRETS["openai"]: [1.5]}), pd.Index([SECRETS["openai"]]), {"password": b"hunter2hunter2"}, {"password": ("hunter2", 1)}, {1: 1, "password": "hunter2"},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_values_of_every_kind_are_redacted_and_can_still_be_read(value):
    plain = codec.encode(value, "output")
    redacted = redact(plain)
    assert redact(redacted) == redacted
    text = json.dumps(redacted)
    assert not any(secret in text for secret in (*SECRETS.values(), "hunter2", TAIL))
    for content in _decoded(redacted):
        assert TAIL.encode() not in content
        assert b"hunter2" not in content
        assert TAIL.encode("utf-32-le") not in content
    restored = codec.decode(redacted)
    assert type(restored) is type(value)
    if isinstance(value, (pd.DataFrame, np.ndarray)):
        assert restored.shape == value.shape


def _decoded(plain):
    if isinstance(plain, str):
        try:
            yield base64.b64decode(plain, validate=True)
        except ValueError:
            return
    elif isinstance(plain, (list, dict)):
        for part in plain.values() if isinstance(plain, dict) else plain:
            yield from _decoded(part)


def test_an_arrow_table_with_a_secret_is_refused():
    pa = pytest.importorskip("pyarrow")
    assert redact(codec.encode(pa.table({"x": ["a"]}), "output"))
    with pytest.raises(NotRecordable, match="holds a secret"):
        redact(codec.encode(pa.table({"x": [SECRETS["openai"]]}), "output"))


def test_what_is_given_is_not_changed():
    plain = {"a": [{"password": "hunter2"}]}
    redact(plain)
    assert plain == {"a": [{"password": "hunter2"}]}


PIECES = st.sampled_from(
    [*SECRETS.values(), *(a + b for a, b in NAMED.values()), *HARMLESS, PLACEHOLDER, "[", "]", "=", ":", '"', "'", "\\", " ", "\n", "@", "://", "password", "&", "-"]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=7).map("".join)
DATA = st.recursive(
    TEXTS | st.integers() | st.none() | st.booleans(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXTS | st.sampled_from(["password", "token", "x"]), part, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=examples(300), deadline=None)
@given(DATA)
@example({"token": f"{PEM}10:30@noon"})
def test_redacting_twice_is_redacting_once(plain):
    once = redact(plain)
    assert redact(once) == once


@settings(max_examples=examples(300), deadline=None)
@given(TEXTS, st.sampled_from(sorted(SECRETS)), TEXTS)
def test_text_built_from_a_secret_and_from_what_replaced_it_come_out_alike(before, kind, after):
    """What a replayed run hands on has no secret any more, and must be found all the same."""
    secret = SECRETS[kind]
    live = redact(f"{before} {secret} {after}")
    replayed = redact(f"{before} {redact(secret)} {after}")
    assert live == replayed


@pytest.mark.parametrize(
    "piece",
    [
        "sk-", "sk-a-", "eyJ", "eyJa.", "-eyJaaaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "password=", 'password:"', "Bearer ", "bearer a", "://a:", "://",
        "Authorization: ", "authorization:bearer ", "=", "AKIA", "xoxb-", " ", "a", "\\", '"', "123456789:AA", "?sig=", "SG.aaaaaaaaaaaaaaaa.", "token ", "[REDACTED]", "[REDACTED]password=",
    ],
)  # fmt: skip
def test_hostile_text_does_not_take_for_ever(piece):
    text = (piece * (400_000 // len(piece) + 1))[:400_000]
    begun = time.perf_counter()
    redact(text)
    assert time.perf_counter() - begun < 20  # it takes a tenth of a second; a pattern that backtracks, minutes or more


def test_names():
    assert all(names_a_secret(name) for name in ("password", "user.passwd", "OPENAI_API_KEY", "x-api-key", "clientSecret", "accessToken", "privateKey"))  # fmt: skip
    assert not any(
        names_a_secret(name)
        for name in ("key", "keyword", "tokens", "tokenizer", "monkey", "author", "passage", "primary_key", "sort_key")
    )
    assert env_names_a_secret("DB_PASSWORD_1")
    assert not any(
        map(
            env_names_a_secret,
            ("PATH", "KEYBOARD", "MONKEYS_HOME", "TOKENIZERS_PARALLELISM", "SECRET_NAME", "KEY_PATH"),
        )
    )


def test_every_trigger_is_in_lower_case():
    assert all(trigger == trigger.lower() for shape in SHAPES for trigger in shape.triggers)

"""Mutating: real deliveries and receipts, damaged by bytes, so that the same seed damages them the same."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

NASTY = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\x28", b"\\ud800", b"\\u0000", b"1e999999", b"-0", b"9" * 400,
    b"0." + b"1" * 300,
    b"NaN", b"Infinity", b"null", b"[[", b"{\"", b'"', b"'", b"<", b"</", b"&lt", b"&#0;", b"&#x110000;", b"&xxe;",
    b"<![CDATA[", b"]]>", b"<!--", b"<?x?>", b"<!DOCTYPE a [<!ENTITY xxe SYSTEM 'file:///etc/passwd'>]>", b" " * 5000,
    b"[" * 3000, b"<a>" * 300, b"\r\n" * 200, "　".encode(), "é".encode("latin-1"), b"--", b"=" * 100,
    b"%2F", b"../../",
)  # fmt: skip
"""What breaks readers that were not asked to mind it."""


def mutated(random: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, damaged one to four times."""
    data = random.choice(seeds)
    for _ in range(random.choice((1, 1, 2, 4))):
        data = random.choice(_MUTATIONS)(random, data, seeds)
    return data


def _flip(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]


def _delete(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:start] + data[end:]


def _repeat(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _span(random, data)
    return data[:end] + data[start:end] * random.choice((1, 2, 30)) + data[end:]


def _insert(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice(NASTY) + data[at:]


def _replace_value(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Something nasty in place of one value, so that what is around it stays readable."""
    closers = [at for at, byte in enumerate(data) if byte in b'">']
    if len(closers) < 2:
        return data + random.choice(NASTY)
    at = random.randrange(len(closers) - 1)
    return data[: closers[at] + 1] + random.choice(NASTY) + data[closers[at + 1] :]


def _splice(random: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = random.choice(seeds)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _truncate(random: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _span(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 3, 20, 200)))


_MUTATIONS: tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...] = (
    _flip, _delete, _repeat, _insert, _replace_value, _splice, _truncate,
)  # fmt: skip


def bombs() -> Iterator[tuple[str, bytes]]:
    """Inputs that are small to send and large to read, or that no reader should follow; each with its name."""
    entities = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12))
    yield "entity bomb", b'<!DOCTYPE x [<!ENTITY a0 "x">' + entities + b"]><CEB311Message>&a11;</CEB311Message>"
    yield "external entity", b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><CEB311Message>&e;</CEB311Message>"
    yield "external subset", b"<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'><CEB311Message/>"
    yield "deep XML", b"<a>" * 100_000
    yield "wide XML", b"<CEB311Message>" + b"<a/>" * 200_000 + b"</CEB311Message>"
    yield "many attributes", b"<CEB311Message " + b" ".join(b'a%d="1"' % n for n in range(50_000)) + b"/>"
    yield "a long gap in a tag", b"<CEB311Message" + b" " * 900_000 + b"=" * 200 + b"/>"
    yield "open quotes", b"<CEB311Message" + b" a='" * 100_000 + b' b="' * 100_000 + b"/>"
    yield "long name", b"<" + b"a" * 900_000 + b"/>"
    yield "deep JSON", b"[" * 500_000
    yield "deep objects", b'{"a":' * 200_000
    yield "huge integer", b'{"orderNo": ' + b"9" * 900_000 + b"}"
    yield "huge exponent", b'{"goodsValue": 1e999999999}'
    yield "spaces", b" " * 1_000_000
    yield "spaces in XML", b"<CEB311Message>" + b" " * 1_000_000 + b"</CEB311Message>"
    yield "many keys", b"{" + b",".join(b'"k%d":1' % n for n in range(80_000)) + b"}"
    yield "same key", b"{" + b",".join([b'"orderNo":"1"'] * 60_000) + b"}"
    yield "invalid UTF-8", b'{"orderNo": "\xff\xfe\xfd"}'
    yield "NUL", b"\0" * 100_000
    yield "lone surrogate", b'{"orderNo": "\\ud800"}'
    yield "lines", b"{}\n" * 300_000
    yield "nothing", b""
    yield "UTF-16", '{"orderNo": "1"}'.encode("utf-16")
    yield "UTF-32", '<?xml version="1.0" encoding="UTF-32"?><CEB311Message/>'.encode("utf-32")
    yield "unknown encoding", b'<?xml version="1.0" encoding="x-none"?><CEB311Message/>'
    yield (
        "base64 bomb",
        b'<DxpMsg xmlns="http://www.chinaport.gov.cn/dxp"><Data>' + b"A" * 900_000 + b"</Data></DxpMsg>",
    )

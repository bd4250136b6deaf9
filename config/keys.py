"""The key file: master keys that seal personal data at rest, and the secret of the blind indexes.

    current = "k001"
    index = "<base64 of 32 bytes>"

    [seal]
    k001 = "<base64 of 32 bytes>"

A new master key is added by hand and named ``current``; old ones stay for what they sealed. The index secret stays.
"""

import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationError

from ..messages.faults import Refused, fault
from .keyfiles import private_file_fault
from .problems import Table, problems_of, read_toml, refusal

KEY_BYTES = 32
FIRST_KEY_ID = "k001"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What the key file holds: master keys by id (4 characters), the id new values use, and the index secret."""

    masters: Mapping[str, bytes] = field(repr=False)
    current: str
    index: bytes = field(repr=False)


def _secret(value: Any) -> bytes:
    try:
        key = b64decode(value, validate=True)
    except (TypeError, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise refusal(fault("config-secret", length=KEY_BYTES))
    return key


def _ids(masters: dict[str, bytes]) -> dict[str, bytes]:
    if all(re.fullmatch("[0-9a-z]{4}", each) for each in masters):
        return masters
    raise refusal(fault("config-secret-id"))


Secret = Annotated[bytes, BeforeValidator(_secret)]


class _Tables(Table):
    current: str
    index: Secret
    seal: Annotated[dict[str, Secret], AfterValidator(_ids)]


def load_keys(path: Path) -> KeyFile:
    """Read the key file; raises Refused when it is missing, open to others, or wrong in any place."""
    if not path.exists():
        raise Refused(fault("config-keys-missing", file=str(path)))
    if problem := private_file_fault(path):
        raise Refused(problem)
    try:
        tables = _Tables.model_validate(read_toml(path))
    except ValidationError as error:
        raise Refused(problem.fault for problem in problems_of(error, _Tables, path.name)) from None
    if tables.current not in tables.seal:
        raise Refused(fault("config-secret-current", "/current"))
    return KeyFile(tables.seal, tables.current, tables.index)


def create_keys(path: Path, random: Callable[[int], bytes]) -> KeyFile:
    """Write a new key file (mode 600) and return its keys; raises FileExistsError rather than replace one.

    ``random`` gives n unpredictable bytes (os.urandom).
    """
    keys = KeyFile({FIRST_KEY_ID: random(KEY_BYTES)}, FIRST_KEY_ID, random(KEY_BYTES))
    lines = (
        "# 主密钥与索引密钥：务必备份，切勿外传；丢失后已存的个人信息无法解读。",
        "# Master keys and index key: back them up, show them to nobody; without them stored personal data is lost.",
        f'current = "{keys.current}"',
        f'index = "{b64encode(keys.index).decode()}"',
        "",
        "[seal]",
        f'{keys.current} = "{b64encode(keys.masters[keys.current]).decode()}"',
        "",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    # complete before it has its name: another process that starts now reads all of it or nothing
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    return keys

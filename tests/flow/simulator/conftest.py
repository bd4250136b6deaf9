"""An operators' folder with two test e-ports, keys in files, and a client that declares to them as the gateway does."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tongguan.adapters.envelope import wrap
from tongguan.adapters.folder import FolderTransport
from tongguan.adapters.signing.identity import make_test_identity
from tongguan.adapters.signing.signers import load_signer
from tongguan.adapters.signing.verification import signed_bytes
from tongguan.config.eports import DxpEnvelope, EPort, KeyFiles, load_eports
from tongguan.config.keyfiles import AlgorithmName
from tongguan.messages.catalogue import message_types
from tongguan.messages.codec import load_codec
from tongguan.messages.reading import read
from tongguan.messages.receipts import AnyReceipt, receipts_of
from tongguan.messages.validation import validate

DOCUMENTS = json.loads((Path(__file__).parents[2] / "data" / "simulator" / "documents.json").read_text("utf-8"))
NOW_MS = 1_772_330_400_000
EPORTS: dict[str, tuple[AlgorithmName, str]] = {
    "one": ("sm2-sm3", 'kind = "dxp"\nsender = "DXPENT0000000001"\nreceivers = ["DXPEDCCEB0000002"]'),
    "two": ("rsa-sha1", 'kind = "plain"'),
}


def eport_file(name: str, algorithm: str, envelope: str) -> str:
    return f"""
name = "{name}"
title = {{ zh = "测试口岸", en = "Test port" }}
environment = "test"
customs_district = "2900"
declares = ["311", "411", "511", "513", "621", "623", "625"]
[[acts_for]]
ebcCode = "{"3300000MER" if name == "one" else "3300000ME2"}"
[transfer]
copCode = "3300000AGT"
copName = "示例报关有限公司"
dxpId = "DXPENT0000000001"
[envelope]
{envelope}
[transport]
kind = "folder"
outbox = "{name}/outbox"
inbox = "{name}/inbox"
archive = "{name}/archive"
settle_ms = 0
[[signers]]
kind = "files"
declarant = "3300000AGT"
algorithm = "{algorithm}"
key = "{name}.key"
certificate = "{name}.crt"
[[inventory]]
tradeMode = "9610"
customsCode = "2916"
portCode = "2910"
agentCode = "3300000AGT"
agentName = "示例报关有限公司"
assureCode = "3300000AGT"
"""


class Client:
    """One e-port from the gateway's side."""

    def __init__(self, eport: EPort, clock) -> None:
        self.eport = eport
        self.clock = clock
        self.transport = FolderTransport(eport.transport, eport.limits, clock)
        self.transport.prepare(make_boxes=True)
        [signer] = eport.signers
        assert isinstance(signer, KeyFiles)
        self.signer = load_signer(signer, {})
        self.files: list[bytes] = []
        self.guids = 0

    async def declare(self, short: str, **changes: str) -> bytes:
        """Sign, envelope and send a document, as the gateway would."""
        known = next(each for each in message_types().values() if each.short == short)
        node = copy.deepcopy(DOCUMENTS[short])
        (node[known.head] if known.head else node).update(changes)
        self.guids += 1
        guid = f"7A3F0C52-9D41-4E86-B1A7-{self.guids:012}"
        transfer = {"copCode": "3300000AGT", "copName": "示例", "dxpMode": "DXP", "dxpId": "DXPENT0000000001"}
        content = {"@guid": guid, "@version": "1.0", known.node or "": [node], "BaseTransfer": transfer}
        data = signed_bytes(load_codec().encode(known.code, content), self.signer)
        if isinstance(self.eport.envelope, DxpEnvelope):
            data = wrap(
                data,
                cop_msg_id=guid,
                sender=self.eport.envelope.sender,
                receivers=self.eport.envelope.receivers,
                created_ms=self.clock(),
                message_type=known.code,
            )
        await self.transport.send(f"{known.code}_{guid}.xml", data)
        return data

    async def receive(self) -> list[AnyReceipt]:
        """What has come in, each file valid and read."""
        receipts: list[AnyReceipt] = []
        for incoming in await self.transport.receive(1000):
            assert validate(incoming.data, open_envelope=True) == []
            receipts += receipts_of(read(incoming.data))
            await self.transport.done(incoming)
        return receipts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An operators' folder; its data folder is beside it."""
    config = tmp_path / "config"
    (config / "eports").mkdir(parents=True)
    (config / "tongguan.toml").write_text(f'data_folder = "{tmp_path / "data"}"\n', "utf-8")
    for name, (algorithm, envelope) in EPORTS.items():
        identity = make_test_identity(algorithm, "3300000AGT", 7, NOW_MS)
        (config / f"{name}.key").write_bytes(identity.key_pem)
        (config / f"{name}.key").chmod(0o600)
        (config / f"{name}.crt").write_bytes(identity.certificate_pem)
        (config / "eports" / f"{name}.toml").write_text(eport_file(name, algorithm, envelope), "utf-8")
    return config


@pytest.fixture
def eports(folder: Path, tmp_path: Path) -> dict[str, EPort]:
    loaded, problems = load_eports(folder, data=tmp_path / "data", environ={}, now_ms=NOW_MS)
    assert not [each for each in problems if not each.warning]
    return {each.name: each for each in loaded}


@pytest.fixture
def clock() -> Any:
    """A clock that stands still until it is moved."""

    class Clock:
        now_ms = NOW_MS

        def __call__(self) -> int:
            return self.now_ms

    return Clock()


@pytest.fixture
def client(eports, clock):
    """Makes a client of an e-port; by its own clock unless it is given another."""
    return lambda name, by=clock: Client(eports[name], by)

"""E-ports: one TOML file per destination, in the folder ``eports`` of the operators' folder.

Official element names stand in the files as the customs schemas spell them; everything else is ours and lower case.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo

from ..messages.chinatime import DAY_MS
from ..messages.codes import TableName, table
from ..messages.faults import Refused, fault
from .eport_checks import check_eports
from .keyfiles import AlgorithmName, private_file_fault, read_certificate
from .problems import Problem, Table, problems_of, read_toml, refusal, shaped

EPORTS = "eports"
PRODUCTION = "production"
EXPIRES_SOON_DAYS = 30

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
DOCUMENTS_MAX = 100
"""Documents in one message, by the 202205 schemas."""

EnterpriseCode = Annotated[
    str,
    shaped(
        "[0-9A-Z]{10}|[0-9A-Z]{18}",
        "10 位海关注册编码或 18 位统一社会信用代码（加引号）",
        "a customs code of 10 or a credit code of 18 characters, in quotes",
    ),
]
EnterpriseName = Annotated[str, Field(min_length=1, max_length=100)]
PlatformCode = Annotated[str, Field(min_length=1, max_length=18)]
"""ebpCode also takes the platform ids that E-Port publishes for platforms that are not registered."""

CustomsOffice = Annotated[str, shaped("[0-9]{4}", "4 位关区代码（加引号）", "a customs office of 4 digits, in quotes")]
Country = Annotated[str, shaped("[0-9]{3}", "3 位国别代码（加引号）", "a country code of 3 digits, in quotes")]
OneCharacter = Annotated[str, shaped("[0-9A-Z]", "1 位代码（加引号）", "a code of 1 character, in quotes")]
DxpAddress = Annotated[str, shaped("[0-9A-Z]{16}", "16 位传输编号", "an exchange id of 16 characters")]
MessageType = Literal["311", "411", "511", "513", "621", "623", "625"]
TradeMode = Literal["9610", "1210", "1239"]

_CODE_TABLES: dict[str, TableName] = {
    "customs_district": "customs_districts",
    "customsCode": "customs_districts",
    "portCode": "customs_districts",
    "tradeMode": "trade_modes",
    "trafMode": "transport_modes",
    "wrapType": "wrap_types",
    "country": "countries",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a file is read in: where its key files lie, where data folders start, and what the process was given."""

    folder: Path
    data: Path
    environ: Mapping[str, str]
    production: bool = False


def _beside(path: Path, info: ValidationInfo) -> Path:
    return _surroundings(info).folder / path


def _data(path: Path, info: ValidationInfo) -> Path:
    return _surroundings(info).data / path


def _private(path: Path) -> Path:
    if problem := private_file_fault(path):
        raise refusal(problem)
    return path


def _certificate(path: Path, info: ValidationInfo) -> Path:
    try:
        certificate = read_certificate(path)
    except Refused as refused:
        raise refusal(refused.faults[0]) from None
    if certificate.is_test and _surroundings(info).production:
        raise refusal(fault("config-test-identity"))
    return path


def _given(name: str, info: ValidationInfo) -> str:
    if name not in _surroundings(info).environ:
        raise refusal(fault("config-password-missing", name=name))
    return name


def _not_in_production(kind: str, info: ValidationInfo) -> str:
    if _surroundings(info).production:
        raise refusal(fault("config-test-identity"))
    return kind


def _surroundings(info: ValidationInfo) -> Surroundings:
    if not isinstance(info.context, Surroundings):
        raise TypeError("an e-port is read with its Surroundings")
    return info.context


ConfigFile = Annotated[Path, AfterValidator(_beside)]
PrivateFile = Annotated[ConfigFile, AfterValidator(_private)]
DataFolder = Annotated[Path, AfterValidator(_data)]


class Title(Table):
    """What people call the e-port."""

    zh: EnterpriseName
    en: EnterpriseName


class Enterprise(Table):
    """A merchant whose cases go to this e-port; each further code narrows that down."""

    ebc_code: EnterpriseCode = Field(alias="ebcCode")
    ebp_code: PlatformCode | None = Field(None, alias="ebpCode")
    logistics_code: EnterpriseCode | None = Field(None, alias="logisticsCode")
    trade_mode: TradeMode | None = Field(None, alias="tradeMode")

    def covers(self, ebc_code: str, ebp_code: str, logistics_code: str | None, trade_mode: str) -> bool:
        """Whether a case with these codes belongs here; an unknown carrier meets no entry that names one."""
        return (
            self.ebc_code == ebc_code
            and self.ebp_code in (None, ebp_code)
            and self.logistics_code in (None, logistics_code)
            and self.trade_mode in (None, trade_mode)
        )


class BaseTransfer(Table):
    """Who transmits: the enterprise that owns the access client, need not be the declarant (202205, BaseTransfer)."""

    cop_code: EnterpriseCode = Field(alias="copCode")
    cop_name: EnterpriseName = Field(alias="copName")
    dxp_id: Annotated[str, Field(min_length=1, max_length=30)] = Field(alias="dxpId")


class PlainEnvelope(Table):
    """The CEB message as it is, for the access client that customs supplies."""

    kind: Literal["plain"]


class DxpEnvelope(Table):
    """The CEB message in a DxpMsg, for self-developed access (202205, access annex)."""

    kind: Literal["dxp"]
    sender: DxpAddress
    receivers: Annotated[tuple[DxpAddress, ...], Field(min_length=1, max_length=5)]


class FolderSettings(Table):
    """Drop folders shared with an access client; relative paths start at the folder the gateway keeps its data in."""

    kind: Literal["folder"]
    outbox: DataFolder
    inbox: DataFolder
    archive: DataFolder
    settle_ms: Annotated[int, Field(ge=0, le=60_000)] = 1000


class KeyFiles(Table):
    """A declarant's key and certificate in PEM files; relative paths start at the operators' folder."""

    kind: Literal["files"]
    declarant: EnterpriseCode
    algorithm: AlgorithmName
    key: PrivateFile
    certificate: Annotated[ConfigFile, AfterValidator(_certificate)]
    password_env: Annotated[str, AfterValidator(_given)] | None = None
    password_file: PrivateFile | None = None


class SelfMadeKey(Table):
    """A key and TEST certificate the gateway makes at every start; never in production."""

    kind: Annotated[Literal["test"], AfterValidator(_not_in_production)]
    declarant: EnterpriseCode
    algorithm: AlgorithmName


class InventoryDefaults(Table):
    """What an inventory (621) takes from here because no document states it."""

    customs_code: CustomsOffice = Field(alias="customsCode")
    port_code: CustomsOffice = Field(alias="portCode")
    agent_code: EnterpriseCode = Field(alias="agentCode")
    agent_name: EnterpriseName = Field(alias="agentName")
    assure_code: Annotated[str, Field(min_length=1, max_length=30)] = Field(alias="assureCode")
    loct_no: Annotated[str, Field(min_length=1, max_length=10)] | None = Field(None, alias="loctNo")
    wrap_type: OneCharacter | None = Field(None, alias="wrapType")

    def official(self) -> dict[str, str]:
        """The defaults by official element name, those without a value left out."""
        return self.model_dump(by_alias=True, exclude_none=True)


class DirectInventory(InventoryDefaults):
    """Direct purchase: no account book; the conveyance comes from transport and waybill."""

    trade_mode: Literal["9610"] = Field(alias="tradeMode")
    traf_mode: OneCharacter | None = Field(None, alias="trafMode")
    country: Country | None = None


class BondedInventory(InventoryDefaults):
    """Bonded: the account book and the enterprise in the zone are required, the country of departure is China."""

    trade_mode: Literal["1210", "1239"] = Field(alias="tradeMode")
    traf_mode: OneCharacter = Field(alias="trafMode")
    country: Literal["142"] = "142"
    ems_no: Annotated[str, Field(min_length=1, max_length=30)] = Field(alias="emsNo")
    area_code: EnterpriseCode = Field(alias="areaCode")
    area_name: EnterpriseName = Field(alias="areaName")


class Limits(Table):
    """How much goes to and comes from the e-port."""

    batch: Annotated[int, Field(ge=1, le=DOCUMENTS_MAX)] = DOCUMENTS_MAX
    message_bytes_max: Annotated[int, Field(ge=16 * 1024, le=MESSAGE_BYTES_MAX)] = 1024 * 1024
    receipt_bytes_max: Annotated[int, Field(ge=16 * 1024, le=MESSAGE_BYTES_MAX)] = 4 * 1024 * 1024
    in_flight_max: Annotated[int, Field(ge=1, le=100_000)] = 100
    resend_wait_seconds: Annotated[int, Field(ge=1, le=7 * 24 * 3600)] = 1800
    attempts_max: Annotated[int, Field(ge=1, le=20)] = 3


class Pace(Table):
    """At most so many messages in so many seconds; a u-key signs about 250 a minute."""

    messages: Annotated[int, Field(ge=1, le=1_000_000)]
    seconds: Annotated[int, Field(ge=1, le=24 * 3600)]


class EPort(Table):
    """A configured destination."""

    name: Annotated[
        str,
        shaped(
            "[a-z][a-z0-9-]{0,30}[a-z0-9]", "2 至 32 位小写字母、数字与连字符", "2 to 32 small letters, digits, hyphens"
        ),
    ]
    title: Title
    environment: Literal["test", "production"]
    customs_district: CustomsOffice
    declares: Annotated[tuple[MessageType, ...], Field(min_length=1)]
    acts_for: Annotated[tuple[Enterprise, ...], Field(min_length=1)]
    transfer: BaseTransfer
    envelope: Annotated[PlainEnvelope | DxpEnvelope, Field(discriminator="kind")]
    transport: FolderSettings
    signers: tuple[Annotated[KeyFiles | SelfMadeKey, Field(discriminator="kind")], ...] = ()
    inventory: tuple[Annotated[DirectInventory | BondedInventory, Field(discriminator="trade_mode")], ...] = ()
    limits: Limits = Limits()
    pace: Pace | None = None

    def inventory_for(self, trade_mode: str) -> DirectInventory | BondedInventory | None:
        """The inventory defaults of a trade mode."""
        return next((each for each in self.inventory if each.trade_mode == trade_mode), None)


def eport_for(
    eports: Iterable[EPort], ebc_code: str, ebp_code: str, logistics_code: str | None, trade_mode: str
) -> EPort | None:
    """The one e-port that acts for a case with these codes."""
    codes = (ebc_code, ebp_code, logistics_code, trade_mode)
    return next((eport for eport in eports if any(each.covers(*codes) for each in eport.acts_for)), None)


def load_eports(
    folder: Path, *, data: Path, environ: Mapping[str, str], now_ms: int
) -> tuple[list[EPort], list[Problem]]:
    """Read every e-port of the operators' folder, with everything that is wrong in any of them.

    Returned are the e-ports without fault. ``data`` is where relative transport folders start, ``environ`` holds the
    passwords, ``now_ms`` (milliseconds UTC) decides which certificates are about to expire.
    """
    files: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for path in sorted((folder / EPORTS).glob("*.toml")):
        file = f"{EPORTS}/{path.name}"
        try:
            files[file] = read_toml(path)
        except Refused as refused:
            problems += [Problem(file, each) for each in refused.faults]
    eports: dict[str, EPort] = {}
    for file, tables in files.items():
        try:
            eports[file] = read_eport(tables, Surroundings(folder, data, environ))
        except ValidationError as error:
            problems += problems_of(error, EPort, file)
        else:
            problems += _expiring(file, eports[file], now_ms)
            problems += _unknown_codes(file, eports[file])
    problems += check_eports(files, folder, data)
    faulty = {problem.file for problem in problems if not problem.warning}
    return [eport for file, eport in eports.items() if file not in faulty], problems


def read_eport(tables: Mapping[str, Any], surroundings: Surroundings) -> EPort:
    """An e-port from the tables of its file; raises pydantic's ValidationError (see ``problems_of``)."""
    production = tables.get("environment") == PRODUCTION
    return EPort.model_validate(tables, context=replace(surroundings, production=production))


def _expiring(file: str, eport: EPort, now_ms: int) -> Iterator[Problem]:
    for at, signer in enumerate(eport.signers):
        if isinstance(signer, KeyFiles):
            certificate, path = read_certificate(signer.certificate), f"/signers/{at}/certificate"
            if not certificate.not_before_ms <= now_ms <= certificate.not_after_ms:
                yield Problem(file, fault("config-certificate-expired", path), warning=True)
            elif certificate.not_after_ms - now_ms < EXPIRES_SOON_DAYS * DAY_MS:
                yield Problem(file, fault("config-certificate-expires", path, days=EXPIRES_SOON_DAYS), warning=True)


def _unknown_codes(file: str, eport: EPort) -> Iterator[Problem]:
    places = [("/customs_district", eport.customs_district)]
    for at, defaults in enumerate(eport.inventory):
        places += [(f"/inventory/{at}/{key}", code) for key, code in defaults.official().items()]
    for path, code in places:
        key = path.rpartition("/")[2]
        name = _CODE_TABLES.get(key)
        if name is not None and code not in table(name):
            yield Problem(file, fault("config-unknown-code", path, key=key, table=name), warning=True)

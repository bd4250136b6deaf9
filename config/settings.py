"""Settings: one typed table. A value comes from the environment, else from ``tongguan.toml``, else from here.

The variable of a setting is its name in capitals behind ``TONGGUAN_``. Relative paths start at the working directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo

from ..messages.faults import Refused, fault
from .folder import VARIABLE
from .problems import Problem, Table, problems_of, read_toml, refusal

SETTINGS = "tongguan.toml"
ENVIRONMENT = "environment"

_PREFIX = "TONGGUAN_"
_OTHER_VARIABLES = (VARIABLE, f"{_PREFIX}SECRET_", f"{_PREFIX}TEST_")
"""Variables that are no settings: where the folder is, passwords named in e-port files, services of the test suite."""

_MIB = 1024 * 1024


def _setting(default: object, zh: str, en: str, unit: str = "", *, ge: int | None = None, le: int | None = None) -> Any:
    return Field(default, ge=ge, le=le, json_schema_extra={"help_zh": zh, "help_en": en, "unit": unit})


def _address(*schemes: str) -> AfterValidator:
    """A secret URL with one of the schemes."""

    def check(url: SecretStr, info: ValidationInfo) -> SecretStr:
        if url.get_secret_value().startswith(schemes):
            return url
        zh, en = "以 " + " 或 ".join(schemes) + " 开头的地址", "an address that begins with " + " or ".join(schemes)
        raise refusal(fault("config-value", key=info.field_name, allowed_zh=zh, allowed_en=en))

    return AfterValidator(check)


class Settings(Table):
    """Everything an operator can set apart from parties and e-ports."""

    data_folder: Path = _setting(
        Path("var/tongguan"),
        "数据文件夹；电子口岸文件中的相对路径由此开始",
        "Folder of the gateway's data; relative transport folders of e-ports start here",
    )
    store_url: Annotated[SecretStr, _address("sqlite://", "postgresql://")] = _setting(
        SecretStr("sqlite:///var/tongguan/tongguan.db"),
        "数据库地址：sqlite:///路径，或 postgresql://用户:密码@主机/库名",
        "Database: sqlite:///path, or postgresql://user:password@host/name",
    )
    bus_url: Annotated[SecretStr, _address("embedded:", "amqp://", "amqps://")] = _setting(
        SecretStr("embedded:var/tongguan/bus.db"),
        "消息总线地址：embedded:路径，或 amqp://用户:密码@主机/虚拟主机",
        "Message bus: embedded:path, or amqp://user:password@host/vhost",
    )
    keys_file: Path = _setting(
        Path("var/tongguan/keys.toml"),
        "主密钥与索引密钥文件（权限 600）；丢失后已存的个人信息无法解读，务必备份",
        "File of master keys and index key (mode 600); back it up, for without it stored personal data is lost",
    )
    seals_file: Path = _setting(
        Path("var/tongguan/seals.jsonl"),
        "核对日志封印另存于此文件，应放在数据库之外的存储上",
        "The ledger's seals are also written to this file; keep it on other storage than the database",
    )
    http_host: str = _setting("127.0.0.1", "HTTP 监听地址", "Address the HTTP server listens on")
    http_port: int = _setting(8630, "HTTP 监听端口", "Port the HTTP server listens on", ge=0, le=65535)
    log_format: Literal["console", "json"] = _setting(
        "console", "日志格式：console 供人阅读，json 供程序读取", "Log format: console for people, json for programs"
    )
    log_level: Literal["debug", "info", "warning", "error"] = _setting("info", "日志级别", "Log level")
    lang: Literal["zh", "en"] = _setting("zh", "界面与命令行的语言", "Language of console and command line")

    prefetch: int = _setting(
        200,
        "总线预取的投递数",
        "Deliveries the bus may hand over before any is acknowledged",
        "deliveries",
        ge=1,
        le=10_000,
    )
    batch_deliveries: int = _setting(
        100, "一个批次最多包含的投递数", "Deliveries worked together at most", "deliveries", ge=1, le=10_000
    )
    batch_bytes: int = _setting(
        _MIB, "一个批次最多包含的字节数", "Bytes of deliveries worked together at most", "bytes", ge=1024, le=256 * _MIB
    )
    linger_ms: int = _setting(
        20, "未满的批次最多等待的时间", "How long a batch waits to be filled", "milliseconds", ge=0, le=10_000
    )
    delivery_limit: int = _setting(
        5,
        "一次投递失败几次后转入死信",
        "Failed attempts after which a delivery becomes a dead letter",
        "attempts",
        ge=1,
        le=100,
    )
    delivery_bytes_max: int = _setting(
        _MIB, "一次投递的最大字节数", "Bytes in one delivery at most", "bytes", ge=1024, le=64 * _MIB
    )
    delivery_documents_max: int = _setting(
        100, "一次投递的最多单证数", "Documents in one delivery at most", "documents", ge=1, le=100
    )
    answer_queue_length_max: int = _setting(
        100_000,
        "每个企业的应答队列最多保留的消息数，超出时丢弃最早的",
        "Messages kept in the answer queue of one party; the oldest are dropped beyond it",
        "messages",
        ge=100,
        le=10_000_000,
    )

    intake_queue_length_max: int = _setting(
        1_000_000,
        "收单队列最多等待的投递数，超出时拒收新的投递",
        "Deliveries waiting for intake at most; beyond it senders are refused",
        "deliveries",
        ge=100,
        le=100_000_000,
    )
    dead_queue_length_max: int = _setting(
        100_000,
        "死信队列最多保留的投递数",
        "Dead letters kept at most",
        "deliveries",
        ge=100,
        le=10_000_000,
    )

    dispatch_poll_ms: int = _setting(
        500,
        "申报步骤空闲时的查询间隔",
        "How often an idle dispatch step looks for work",
        "milliseconds",
        ge=10,
        le=60_000,
    )
    dispatch_lease_seconds: int = _setting(
        120, "申报步骤占用一批申报的时限", "How long dispatch holds what it claimed", "seconds", ge=5, le=3600
    )
    receive_poll_ms: int = _setting(
        1000, "查看收件文件夹的间隔", "How often the inboxes are looked into", "milliseconds", ge=10, le=60_000
    )
    receive_files_max: int = _setting(
        200, "一次从收件文件夹读取的最多文件数", "Files read from an inbox at a time", "files", ge=1, le=10_000
    )
    route_poll_ms: int = _setting(
        200, "结果步骤空闲时的查询间隔", "How often an idle route step looks for work", "milliseconds", ge=10, le=60_000
    )
    route_lease_seconds: int = _setting(
        30, "结果步骤占用一个通道的时限", "How long a router holds a lane", "seconds", ge=5, le=3600
    )
    tend_poll_ms: int = _setting(
        1000, "定时步骤的查询间隔", "How often the tend step looks for what is due", "milliseconds", ge=10, le=60_000
    )
    tend_lease_seconds: int = _setting(
        60, "定时步骤占用一批事项的时限", "How long tend holds what it claimed", "seconds", ge=5, le=3600
    )

    amount_tolerance: Decimal = _setting(
        Decimal("0.01"),
        "由其他金额算出的合计允许的差额；海关要求相等的金额不受此影响",
        "Difference allowed to a computed sum; amounts that customs wants equal are compared exactly",
        "CNY",
        ge=0,
        le=100,
    )
    payment_early_hours: int = _setting(
        72,
        "支付时间比订单报送时间早多久时提示",
        "How much earlier than its order's report a payment may be before a warning",
        "hours",
        ge=1,
        le=8760,
    )
    rule_severity: dict[str, Literal["waits", "blocks", "warns", "off"]] = _setting(
        {},
        "改变个别比对规则的作用：规则代码对应 waits、blocks、warns 或 off",
        "Changes what single rules do to a case: rule code to waits, blocks, warns or off",
    )
    order_late_after_hours: int = _setting(
        24, "缺少订单多久后视为迟到", "When a missing order counts as late", "hours", ge=1, le=8760
    )
    payment_late_after_hours: int = _setting(
        24, "缺少支付单多久后视为迟到", "When a missing payment counts as late", "hours", ge=1, le=8760
    )
    waybill_late_after_hours: int = _setting(
        72, "缺少运单多久后视为迟到", "When a missing waybill counts as late", "hours", ge=1, le=8760
    )
    transport_late_after_hours: int = _setting(
        72,
        "缺少运输信息多久后视为迟到（9610）",
        "When missing transport data count as late (9610)",
        "hours",
        ge=1,
        le=8760,
    )
    goods_late_after_hours: int = _setting(
        24, "缺少商品备案多久后视为迟到", "When a missing goods record counts as late", "hours", ge=1, le=8760
    )
    receipt_late_after_hours: int = _setting(
        24, "申报后没有回执多久后视为迟到", "When a missing receipt counts as late", "hours", ge=1, le=8760
    )
    seal_every_minutes: int = _setting(
        5, "核对日志的封印间隔", "How often the ledger is sealed", "minutes", ge=1, le=1440
    )


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting for documentation and the console."""

    name: str
    variable: str
    default: str
    unit: str
    secret: bool
    zh: str
    en: str


def settings_table() -> list[SettingRow]:
    """Every setting, in the order of the table."""
    about = Settings.model_json_schema()["properties"]
    return [_row(name, field.default, about[name]) for name, field in Settings.model_fields.items()]


def settings_toml() -> str:
    """The commented ``tongguan.toml`` in which every setting stands with its default."""
    lines = [
        "# 通关网关的设置；每项皆可省略，也可用环境变量代替（例如 TONGGUAN_HTTP_PORT）。",
        "# Settings of the gateway. Each may be left out, or given by a variable such as TONGGUAN_HTTP_PORT.",
    ]
    for row in settings_table():
        unit = f" ({row.unit})" if row.unit else ""
        lines += ["", f"# {row.zh}", f"# {row.en}{unit}", f"# {row.name} = {row.default}"]
    return "\n".join(lines) + "\n"


def load_settings(folder: Path, environ: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    """Read the settings of the operators' folder, with everything wrong in file and environment.

    The settings are None when there is any fault.
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    if (folder / SETTINGS).exists():
        try:
            values = read_toml(folder / SETTINGS)
        except Refused as refused:
            problems += [Problem(SETTINGS, each) for each in refused.faults]
    given = {name: environ[_variable(name)] for name in Settings.model_fields if _variable(name) in environ}
    problems += _unknown_variables(environ)
    try:
        settings = Settings.model_validate({**values, **given})
    except ValidationError as error:
        return None, problems + [_sourced(each, given) for each in problems_of(error, Settings, SETTINGS)]
    return (None if problems else settings), problems


def _row(name: str, default: object, about: Mapping[str, str]) -> SettingRow:
    value = default.get_secret_value() if isinstance(default, SecretStr) else default
    shown = str(value) if isinstance(value, int | dict) else f'"{value}"'
    return SettingRow(
        name, _variable(name), shown, about["unit"], isinstance(default, SecretStr), about["help_zh"], about["help_en"]
    )


def _variable(name: str) -> str:
    return _PREFIX + name.upper()


def _unknown_variables(environ: Mapping[str, str]) -> list[Problem]:
    known = {_variable(name) for name in Settings.model_fields}
    return [
        Problem(ENVIRONMENT, fault("config-variable-unknown", name, name=name))
        for name in sorted(environ)
        if name.startswith(_PREFIX) and name not in known and not name.startswith(_OTHER_VARIABLES)
    ]


def _sourced(problem: Problem, given: Mapping[str, str]) -> Problem:
    """The problem with the name of the variable, where the value came from the environment."""
    name = problem.fault.path.strip("/")
    if name not in given:
        return problem
    return replace(problem, file=ENVIRONMENT, fault=replace(problem.fault, path=_variable(name)))

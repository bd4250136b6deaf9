"""What the audit checks, in words, and what it finds."""

from dataclasses import dataclass, field

SHOWN_MAX = 20
"""Places kept of each check; all are counted."""

CHECKS: dict[str, tuple[str, str]] = {
    "versions-whole": ("每份单证的版本齐全，一号一份", "every document is stored once, all its versions with it"),
    "declared-once": ("单证的每一版本只申报一次", "every version of a document is declared once"),
    "declared-in-time": ("相符的已申报，待发的已发出", "what matches is declared, what is ready has gone"),
    "sent-as-stored": ("交出的报文与所存逐字节相同", "messages handed over are byte for byte those stored"),
    "sent-as-declared": (
        "交出的每个 guid 都有对应的申报",
        "every guid handed over is a declaration's, and vice versa",
    ),
    "received-kept": ("收到的每个文件都已存入", "every file received is stored"),
    "receipts-read": ("文件中的每条回执都已登记", "every receipt in a file is entered"),
    "receipts-applied": ("申报的状态等于其最新回执", "a declaration stands as its newest receipt says"),
    "results-complete": (
        "每单结果连续，末项与状态一致",
        "results have no gap, and the last tells the status",
    ),
    "results-published": ("结果均已发布，且按顺序", "results are published, in order"),
    "quota-sums": ("年度额度等于各单之和", "yearly quotas are the sums of their cases"),
    "payment-sums": ("支付单分摊不超过支付金额", "shares of a payment do not exceed it"),
    "ledger": ("核对日志与封印完整", "ledger and seals hold"),
    "answered": ("投递均已应答", "every delivery is answered"),
    "acknowledged-stored": ("答复已收的单证均已存入", "every document answered as taken is stored"),
    "rejected-kept": ("不收的单证原文均已留存", "the bytes of every document turned away are kept"),
    "results-heard": ("订阅方收到的结果完整、有序", "a subscriber heard every result, in order"),
}
"""By code: what must be so, in Chinese and English."""


@dataclass(slots=True)
class Check:
    """One check: how much it looked at, how much of that is wrong, and where (the first SHOWN_MAX)."""

    code: str
    looked: int = 0
    wrong: int = 0
    places: list[str] = field(default_factory=list)

    def saw(self, count: int = 1) -> None:
        """So much was looked at."""
        self.looked += count

    def fault(self, place: str) -> None:
        """Something there is wrong."""
        self.wrong += 1
        if len(self.places) < SHOWN_MAX:
            self.places.append(place)


class Audit:
    """The checks that were made, in the order of CHECKS."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def __getitem__(self, code: str) -> Check:
        if code not in CHECKS:
            raise KeyError(code)
        return self._checks.setdefault(code, Check(code))

    @property
    def checks(self) -> list[Check]:
        """Every check that was made."""
        return [self._checks[code] for code in CHECKS if code in self._checks]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any(each.wrong for each in self._checks.values())

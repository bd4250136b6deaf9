"""Times on the wire are China time (UTC+8, no summer time); inside the gateway they are integer milliseconds UTC."""

from datetime import UTC, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "CST")

DAY_MS = 24 * 60 * 60 * 1000


def parse_china_time(text: str) -> int:
    """Read ``YYYYMMDD``, ``YYYYMMDDhhmmss`` or ``YYYYMMDDhhmmssSSS`` (China time) into milliseconds UTC.

    Raises ValueError for anything else, impossible dates included.
    """
    if not text.isascii() or not text.isdigit() or len(text) not in (8, 14, 17):
        raise ValueError("a China time has 8, 14 or 17 digits")
    digits = text.ljust(17, "0")
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    hour, minute, second, milli = int(digits[8:10]), int(digits[10:12]), int(digits[12:14]), int(digits[14:])
    moment = datetime(year, month, day, hour, minute, second, milli * 1000, CHINA)
    return round(moment.timestamp() * 1000)


def china_time(at_ms: int) -> datetime:
    """The moment as an aware datetime in China time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(CHINA)


def china_date(at_ms: int) -> str:
    """``YYYYMMDD`` in China time, as in declTime and ieDate."""
    return china_time(at_ms).strftime("%Y%m%d")


def china_seconds(at_ms: int) -> str:
    """``YYYYMMDDhhmmss`` in China time, as in appTime and payTime."""
    return china_time(at_ms).strftime("%Y%m%d%H%M%S")


def china_millis(at_ms: int) -> str:
    """``YYYYMMDDhhmmssSSS`` in China time, as in returnTime."""
    return f"{china_seconds(at_ms)}{at_ms % 1000:03d}"


def china_year(at_ms: int) -> int:
    """The calendar year in China, which bounds the personal quota."""
    return china_time(at_ms).year


def months_before(at_ms: int, months: int) -> int:
    """The moment ``months`` calendar months earlier, the day clipped to the month's length."""
    moment = china_time(at_ms)
    index = moment.year * 12 + moment.month - 1 - months
    year, month = index // 12, index % 12 + 1
    for day in range(moment.day, moment.day - 4, -1):
        try:
            return round(moment.replace(year=year, month=month, day=day).timestamp() * 1000)
        except ValueError:
            continue
    raise ValueError("no such month")

"""What answers mean: the declarations they may be about, looked up for a whole batch at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ...messages.catalogue import message_types
from ...messages.receipts import AnyReceipt, ExchangeReceipt, FormatReceipt, Receipt, TaxNotice
from ..declaring import Declaration, newest_of
from ..evidence import key_text
from ..store.database import Transaction
from ..store.messages import MessageStore

DECLARED_BY = {known.answered_by: known.code for known in message_types().values() if known.answered_by}
"""The message type a receipt answers."""

Name = tuple[str, str]
"""By what an answer names what it is about: (message type, business key), or (guid, copNo or invtNo, its value)."""


def names_of(answer: AnyReceipt) -> Sequence[Name]:
    """By what this answer names its declaration, or the message that carried several; the surest first."""
    match answer:
        case Receipt():
            return [(DECLARED_BY.get(answer.message_type, ""), key_text(answer.key))]
        case TaxNotice():
            return [("invtNo", answer.invt_no)]
        case ExchangeReceipt():
            return [("guid", answer.cop_msg_id)]
        case FormatReceipt():
            guids = [("guid", guid) for guid in (answer.ori_cop_msg_id, *answer.guids) if guid]
            return [*guids, *(("copNo", number) for number in answer.cop_nos)]


async def meant_by(
    transaction: Transaction, messages: MessageStore, eport: str, answers: Sequence[AnyReceipt]
) -> Mapping[Name, list[Declaration]]:
    """The declarations each name stands for: all attempts for a business key, all members for a whole message.

    An e-port answers only what went through it; what others were given is not looked at.
    """
    found: dict[Name, list[Declaration]] = defaultdict(list)
    names = {name for each in answers for name in names_of(each)}
    keys = {name for each in answers if isinstance(each, Receipt) for name in names_of(each)}
    for each in await messages.by_keys(transaction, keys):
        found[each.message_type, each.business_key].append(each)
    for each in await messages.by_inventory(transaction, (value for kind, value in names if kind == "invtNo")):
        found["invtNo", each.invt_no or ""].append(each)
    by_guid = await messages.by_guids(transaction, (value for kind, value in names if kind == "guid"))
    formats = [each for each in answers if isinstance(each, FormatReceipt)]
    numbers = {(each.ori_message_type, number) for each in formats for number in each.cop_nos}
    newest = _newest_sent(await messages.by_keys(transaction, numbers))
    members: dict[int, list[Declaration]] = defaultdict(list)
    for each in await messages.members(transaction, {*by_guid.values(), *newest.values()}):
        members[each.message_id or 0].append(each)
    found.update((("guid", guid), members[id_]) for guid, id_ in by_guid.items())
    found.update((("copNo", number), members[id_]) for number, id_ in newest.items())
    return {name: [each for each in several if each.eport == eport] for name, several in found.items()}


def _newest_sent(declarations: Sequence[Declaration]) -> dict[str, int]:
    """The message (id) that carried the newest attempt of each number."""
    sent: dict[str, list[Declaration]] = defaultdict(list)
    for each in declarations:
        if each.message_id is not None:
            sent[each.business_key].append(each)
    newest = {number: newest_of(several) for number, several in sent.items()}
    return {number: each.message_id for number, each in newest.items() if each and each.message_id is not None}

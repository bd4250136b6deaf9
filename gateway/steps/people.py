"""The personal values that the documents of cases state, to be masked in free texts about them."""

from collections.abc import Iterable, Mapping, Sequence

from ...messages.documents.document import Document
from ...messages.names import name_of
from ..cases import Case
from ..sealing import Unsealable
from ..store.cases import CaseStore
from ..store.database import Transaction


async def people_in(
    transaction: Transaction, store: CaseStore, cases: Iterable[Case]
) -> Mapping[int, Sequence[str]] | None:
    """Every personal value that stands in a document on or near a case, by the case's id.

    None if one of the documents cannot be opened: whom a text about the cases may name is not known then.
    """
    try:
        around = await store.documents_around(transaction, cases, {})
    except Unsealable:
        return None
    return {
        case_id: [value for each in held_by for value in _personal_values(each.document)]
        for case_id, held_by in around.items()
    }


def _personal_values(document: Document) -> list[str]:
    values: list[str] = []
    for name, value in document:
        field = type(document).model_fields[name]
        if isinstance(value, str) and name_of(field.alias or name, document.entity).personal:
            values.append(value)
    return values

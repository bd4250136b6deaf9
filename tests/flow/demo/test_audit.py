"""The audit: clean after a demo, and every check finds the defect that is planted for it."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tongguan.gateway.assembly import configure, open_gateway, seal_key
from tongguan.gateway.audit.auditing import audit
from tongguan.gateway.audit.check import CHECKS, SHOWN_MAX, Audit, Check

FOREVER = 1 << 60


class Scene:
    """A copy of what a demo left, to be damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sent = sorted(folder.glob("eports/*/archive/sent/*.xml"))
        self.received = sorted(folder.glob("eports/*/archive/received/CEB622*.xml"))
        self.journal, self.heard = (folder / "results" / name for name in ("answers.jsonl", "results.jsonl"))

    def change(self, statement: str) -> None:
        """Damage the store."""
        with sqlite3.connect(self.folder / "tongguan.db") as database:
            assert database.execute(statement).rowcount > 0

    async def audit(self, before: int = FOREVER) -> Audit:
        """Audit it."""
        environment = {
            "TONGGUAN_DATA_FOLDER": str(self.folder),
            "TONGGUAN_STORE_URL": f"sqlite:///{self.folder / 'tongguan.db'}",
            "TONGGUAN_KEYS_FILE": str(self.folder / "keys.toml"),
            "TONGGUAN_SEALS_FILE": str(self.folder / "seals.jsonl"),
        }
        configuration = configure(self.folder / "operators", environment)
        async with open_gateway(configuration) as gateway:
            key, eports = seal_key(gateway), configuration.eports
            return await audit(gateway, key, eports, before, journal=self.journal, heard=self.heard)


@pytest.fixture
def scene(ran: Any, tmp_path: Path) -> Scene:
    return Scene(shutil.copytree(ran.folder, tmp_path / "demo"))


def _wrong(made: Audit) -> list[str]:
    return [each.code for each in made.checks if each.wrong]


def test_a_demo_is_audited_and_clean(ran: Any):
    checks = ran.finished.audit.checks

    assert [each.code for each in checks] == list(CHECKS)
    assert _wrong(ran.finished.audit) == []
    assert all(each.looked for each in checks)


async def test_what_a_demo_left_is_clean_whenever_it_is_audited(scene: Scene):
    assert _wrong(await scene.audit()) == []


def _store(statement: str) -> Callable[[Scene], None]:
    return lambda scene: scene.change(statement)


def _cut_a_sent_file(scene: Scene) -> None:
    scene.sent[0].write_bytes(scene.sent[0].read_bytes()[:-1])


def _lose_a_sent_file(scene: Scene) -> None:
    scene.sent[0].unlink()


def _add_a_sent_file(scene: Scene) -> None:
    shutil.copy(scene.sent[0], scene.sent[0].with_name("CEB311Message_ANOTHER.xml"))


def _add_a_received_file(scene: Scene) -> None:
    (scene.received[0].parent / "CEB622Message_LOST.xml").write_bytes(b"<CEB622Message/>")


def _lose_an_answer(scene: Scene) -> None:
    with scene.journal.open("a", encoding="utf-8") as journal:
        journal.write(json.dumps({"delivery": "never-answered.json"}) + "\n")


def _lose_a_result(scene: Scene) -> None:
    lines = scene.heard.read_text("utf-8").splitlines()
    scene.heard.write_text("\n".join(lines[:3] + lines[4:]) + "\n", encoding="utf-8")


PLANTED: list[tuple[str, Callable[[Scene], None]]] = [
    ("versions-whole", _store("DELETE FROM document_versions WHERE document_id IN (SELECT max(id) FROM documents)")),
    ("versions-whole", _store("""
        INSERT INTO documents SELECT id + 1000000, kind, key, generation + 1, version, app_time, withdrawn, sender,
            bound_to, first_at, changed_at FROM documents WHERE kind = 'order' LIMIT 1""")),
    ("declared-once", _store("""
        INSERT INTO declarations SELECT id + 1000000, case_id, document_id, document_version, message_type,
            attempt + 50, app_type, state, eport, declarant, guid, cop_no, business_key, digest, content, relay_id,
            message_id, ready_at, packed_at, status, return_time, pre_no, invt_no, changed_at
        FROM declarations WHERE state = 'closed' LIMIT 1""")),
    ("declared-in-time", _store("""
        DELETE FROM declarations WHERE case_id IN (SELECT id FROM cases WHERE status = 'closed' LIMIT 1)""")),
    ("declared-in-time", _store("""
        UPDATE declarations SET state = 'ready', ready_at = 1, relay_id = NULL WHERE id IN (
            SELECT id FROM declarations WHERE state = 'closed' LIMIT 1)""")),
    ("declared-in-time", _store("UPDATE messages SET state = 'packed' WHERE id IN (SELECT min(id) FROM messages)")),
    ("sent-as-stored", _cut_a_sent_file),
    ("sent-as-stored", _lose_a_sent_file),
    ("sent-as-stored", _add_a_sent_file),
    ("sent-as-declared", _store("""
        UPDATE declarations SET guid = 'B0000000-0000-4000-8000-000000000000' WHERE id IN (
            SELECT id FROM declarations WHERE state = 'closed' LIMIT 1)""")),
    ("received-kept", _add_a_received_file),
    ("receipts-read", _store("DELETE FROM receipts WHERE id IN (SELECT max(id) FROM receipts)")),
    ("receipts-applied", _store("""
        UPDATE declarations SET status = '2', return_time = 1 WHERE id IN (
            SELECT id FROM declarations WHERE status = '899' LIMIT 1)""")),
    ("results-complete", _store("DELETE FROM results WHERE seq = 2 AND case_id IN (SELECT max(id) FROM cases)")),
    ("results-complete", _store("""
        UPDATE cases SET status = 'refused' WHERE id IN (SELECT id FROM cases WHERE status = 'closed' LIMIT 1)""")),
    ("results-published", _store("""
        UPDATE results SET position = NULL WHERE seq = 1 AND case_id IN (SELECT min(id) FROM cases)""")),
    ("quota-sums", _store("UPDATE quota SET amount = amount + 1 WHERE person IN (SELECT min(person) FROM quota)")),
    ("payment-sums", _store("""
        UPDATE links SET amount = amount + 1 WHERE document_id IN (
            SELECT max(id) FROM documents WHERE kind = 'payment' AND id IN (SELECT document_id FROM links))""")),
    ("ledger", _store("UPDATE ledger SET body = replace(body, 'matched', 'waiting') WHERE body LIKE '%\"matched\"%'")),
    ("answered", _lose_an_answer),
    ("acknowledged-stored", _store("UPDATE documents SET key = 'lost' WHERE id IN (SELECT max(id) FROM documents)")),
    ("rejected-kept", _store("DELETE FROM rejections")),
    ("results-heard", _lose_a_result),
]  # fmt: skip


@pytest.mark.parametrize(("code", "plant"), PLANTED)
async def test_a_planted_defect_is_found(scene: Scene, code: str, plant: Callable[[Scene], None]):
    plant(scene)

    made = await scene.audit()

    assert code in _wrong(made)
    assert made[code].places


def test_every_check_has_its_planted_defect():
    assert {code for code, _ in PLANTED} == set(CHECKS)


async def test_what_is_younger_than_asked_for_counts_as_under_way(scene: Scene):
    scene.change("UPDATE results SET position = NULL WHERE id = (SELECT max(id) FROM results)")

    assert "results-published" in _wrong(await scene.audit())
    assert "results-published" not in _wrong(await scene.audit(before=1))


def test_of_much_that_is_wrong_all_is_counted_and_some_is_named():
    check = Check("answered")

    for number in range(SHOWN_MAX + 5):
        check.fault(str(number))

    assert (check.wrong, len(check.places)) == (SHOWN_MAX + 5, SHOWN_MAX)

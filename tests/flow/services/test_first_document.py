"""What the documentation tells a platform to do first, done to the letter."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.services, pytest.mark.slow]
DOCS = Path(__file__).parents[3] / "docs"
PARTY = "youxuan"


def _program(page: str) -> str:
    found = re.search(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_ten_lines_for_platforms_bring_the_answer(line: Any, prompt_set: Any, tmp_path: Path) -> None:
    line.prepare(prompt_set(1, 1))
    line.serve()
    example = json.loads((DOCS / "contract" / "order.schema.json").read_text("utf-8"))["examples"][0]
    (tmp_path / "order.json").write_text(json.dumps(example), "utf-8")
    program = _program("platforms.md").replace("amqp://youxuan:secret@localhost/tongguan", line.amqp_url(PARTY))

    said = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )

    correlation_id, answer = said.stdout.split(" ", 1)
    [document] = json.loads(answer)["documents"]
    assert (correlation_id, document["outcome"]) == ("1", "taken")

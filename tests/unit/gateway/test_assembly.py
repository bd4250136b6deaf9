"""Putting a gateway together from its configuration."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from tongguan.config.keys import create_keys
from tongguan.config.settings import Settings
from tongguan.gateway.assembly import keys_of
from tongguan.messages.faults import Refused


def _settings(folder: Path, store_url: str) -> Settings:
    return Settings(keys_file=folder / "keys.toml", store_url=SecretStr(store_url))


class TestKeys:
    def test_are_made_with_a_new_embedded_store(self, tmp_path: Path) -> None:
        settings = _settings(tmp_path, f"sqlite:///{tmp_path / 'new.db'}")

        made = keys_of(settings)

        assert keys_of(settings) == made

    def test_that_are_there_stay(self, tmp_path: Path) -> None:
        there = create_keys(tmp_path / "keys.toml", os.urandom)

        assert keys_of(_settings(tmp_path, f"sqlite:///{tmp_path / 'new.db'}")) == there

    @pytest.mark.parametrize("url", ["sqlite:///{}/old.db", "postgresql://server/database"])
    def test_that_are_lost_are_never_replaced_beside_a_store_that_may_hold_data(self, tmp_path: Path, url: str) -> None:
        (tmp_path / "old.db").touch()

        with pytest.raises(Refused) as refused:
            keys_of(_settings(tmp_path, url.format(tmp_path)))

        assert [each.code for each in refused.value.faults] == ["config-keys-missing"]

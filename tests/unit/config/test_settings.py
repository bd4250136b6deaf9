"""tongguan.toml and the environment."""

from decimal import Decimal
from pathlib import Path

import pytest

from tongguan.config.folder import DEFAULTS
from tongguan.config.settings import Settings, load_settings, settings_table, settings_toml


@pytest.fixture
def settings(tmp_path):
    def load(text="", **environ):
        (tmp_path / "tongguan.toml").write_text(text, "utf-8")
        return load_settings(tmp_path, environ)

    return load


def said(problems):
    return [(problem.file, problem.fault.code, problem.fault.path) for problem in problems]


def test_nothing_given_means_the_defaults(tmp_path):
    found, problems = load_settings(tmp_path, {})

    assert problems == []
    assert found == Settings()
    assert (Settings().http_host, Settings().http_port) == ("127.0.0.1", 8630)


def test_the_file_overrides_the_defaults_and_the_environment_the_file(settings):
    found, _ = settings('http_port = 1\nlang = "en"\namount_tolerance = "0.05"', TONGGUAN_HTTP_PORT="2")

    assert found.http_port == 2
    assert found.lang == "en"
    assert found.amount_tolerance == Decimal("0.05")


def test_every_fault_of_file_and_environment_is_told_at_once(settings):
    found, problems = settings(
        'http_port = 70000\nlog_level = "loud"\ncolour = 1\nstore_url = "mysql://u:pw@h/d"',
        TONGGUAN_PREFETCH="many",
        TONGGUAN_HTTP_PROT="1",
    )

    assert found is None
    assert set(said(problems)) == {
        ("tongguan.toml", "config-value", "/http_port"),
        ("tongguan.toml", "config-value", "/log_level"),
        ("tongguan.toml", "config-value", "/store_url"),
        ("tongguan.toml", "config-unknown-key", "/colour"),
        ("environment", "config-value", "TONGGUAN_PREFETCH"),
        ("environment", "config-variable-unknown", "TONGGUAN_HTTP_PROT"),
    }


def test_a_fault_never_repeats_a_secret(settings):
    _, problems = settings('bus_url = "amqq://user:hunter2@host"', TONGGUAN_STORE_URL="x://hunter2")

    assert len(problems) == 2
    assert all("hunter2" not in problem.fault.en + problem.fault.zh for problem in problems)


def test_secrets_do_not_show_when_settings_are_printed(settings):
    found, _ = settings('store_url = "postgresql://user:hunter2@host/db"')

    assert "hunter2" not in repr(found)
    assert found.store_url.get_secret_value() == "postgresql://user:hunter2@host/db"


def test_variables_that_are_no_settings_are_left_alone(settings):
    _, problems = settings(TONGGUAN_CONFIG="x", TONGGUAN_SECRET_KEY="y", TONGGUAN_TEST_AMQP_URL="z", PATH="/bin")

    assert problems == []


def test_broken_toml_is_told_with_its_line(settings):
    found, (problem,) = settings("lang = \n")

    assert found is None
    assert (problem.file, problem.fault.code, problem.fault.line) == ("tongguan.toml", "config-syntax", 1)


def test_every_setting_says_what_it_is_in_both_languages():
    for row in settings_table():
        assert any("一" <= character <= "鿿" for character in row.zh), row.name
        assert len(row.en) >= 5, row.name


def test_every_number_has_a_unit():
    plain = {"http_port"}

    for row in settings_table():
        assert row.unit or not row.default.isdigit() or row.name in plain, row.name


def test_every_number_has_limits():
    schema = Settings.model_json_schema()["properties"]

    for row in settings_table():
        if row.default.isdigit():
            assert {"minimum", "maximum"} <= schema[row.name].keys(), row.name


def test_settings_that_hold_credentials_are_marked_secret():
    assert [row.name for row in settings_table() if row.secret] == ["store_url", "bus_url"]


def test_the_packaged_file_lists_every_setting_as_it_is():
    assert (DEFAULTS / "tongguan.toml").read_text("utf-8") == settings_toml()


def test_the_packaged_file_is_read_when_its_lines_are_put_in_force(settings):
    lines = settings_toml().splitlines()
    in_force = [line.removeprefix("# ") for line in lines if " = " in line]

    found, problems = settings("\n".join(in_force))

    assert problems == []
    assert found == Settings()
    assert found.keys_file == Path("var/tongguan/keys.toml")

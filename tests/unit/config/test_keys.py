"""keys.toml: what seals and finds personal data."""

import os
import stat
from base64 import b64encode

import pytest

from tongguan.config.keys import create_keys, load_keys
from tongguan.messages.faults import Refused

KEY = b64encode(bytes(32)).decode()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "keys.toml"


def codes(refused):
    return [(fault.code, fault.path) for fault in refused.value.faults]


def test_a_new_key_file_is_read_as_it_was_made(path):
    made = create_keys(path, os.urandom)

    assert load_keys(path) == made
    assert len(made.index) == len(made.masters[made.current]) == 32
    assert made.index != made.masters[made.current]


def test_a_new_key_file_is_for_its_owner_only(path):
    create_keys(path, os.urandom)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_key_file_is_never_replaced(path):
    made = create_keys(path, os.urandom)

    with pytest.raises(FileExistsError):
        create_keys(path, os.urandom)

    assert load_keys(path) == made
    assert list(path.parent.iterdir()) == [path]


def test_keys_do_not_show_when_they_are_printed(path):
    made = create_keys(path, lambda length: b"k" * length)

    assert "kkk" not in repr(made)


def test_a_key_file_open_to_others_is_refused(path):
    create_keys(path, os.urandom)
    path.chmod(0o640)

    with pytest.raises(Refused) as refused:
        load_keys(path)

    assert codes(refused) == [("config-file-open", "")]


def test_a_missing_key_file_is_refused(path):
    with pytest.raises(Refused) as refused:
        load_keys(path)

    assert codes(refused) == [("config-keys-missing", "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["config-missing", "config-missing", "config-missing"]),
        (f'current = "k001"\nindex = "{KEY}"\nseal = 3', ["config-value"]),
        (f'current = "k001"\nindex = "AAAA"\n[seal]\nk001 = "{KEY}"', ["config-secret"]),
        (f'current = "k001"\nindex = 3\n[seal]\nk001 = "!"\nk002 = "{KEY}"', ["config-secret", "config-secret"]),
        (f'current = "k002"\nindex = "{KEY}"\n[seal]\nk001 = "{KEY}"', ["config-secret-current"]),
        (f'current = "main"\nindex = "{KEY}"\n[seal]\nmain = "{KEY}"\nkey-two = "{KEY}"', ["config-secret-id"]),
        (f'current = "k001"\nindex = "{KEY}"\nmore = 1\n[seal]\nk001 = "{KEY}"', ["config-unknown-key"]),
        ("current =", ["config-syntax"]),
    ],
)
def test_a_wrong_key_file_is_refused_with_all_that_is_wrong(path, text, expected):
    path.parent.mkdir()
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(Refused) as refused:
        load_keys(path)

    assert [code for code, _ in codes(refused)] == expected
    assert KEY not in str(refused.value)


def test_several_master_keys_may_stand_beside_the_current_one(path):
    path.parent.mkdir()
    path.write_text(f'current = "k002"\nindex = "{KEY}"\n[seal]\nk001 = "{KEY}"\nk002 = "{KEY}"\n')
    path.chmod(0o600)

    keys = load_keys(path)

    assert (keys.current, sorted(keys.masters)) == ("k002", ["k001", "k002"])

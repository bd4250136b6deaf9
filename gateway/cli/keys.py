"""``tongguan keys``: make the key file, once."""

import os

import typer

from .options import Config, Lang, Speaker, configuration_of


def keys(config: Config = None, lang: Lang = None) -> None:
    """生成密钥文件（已有则不动） / make the key file; one that is there stays.

    丢失密钥文件，已存的个人信息便无法解读，请务必备份 / without it stored personal data is lost: back it up.
    """
    from ...config.keys import create_keys, load_keys
    from ...messages.faults import Refused

    speaker = Speaker(lang)
    path = configuration_of(config, speaker).settings.keys_file
    try:
        if path.exists():
            load_keys(path)
            speaker.say(f"密钥文件已存在：{path}", f"the key file is there: {path}")
        else:
            create_keys(path, os.urandom)
            speaker.say(f"已生成密钥文件 {path}，请务必备份", f"key file {path} made; back it up")
    except Refused as refused:
        speaker.faults(refused.faults)
        raise typer.Exit(1) from None

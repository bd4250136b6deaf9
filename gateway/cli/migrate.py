"""``tongguan migrate``: bring the database to this release."""

import asyncio

from .options import Config, Lang, Speaker, configuration_of


def migrate(config: Config = None, lang: Lang = None) -> None:
    """升级数据库结构 / bring the database to the schema of this release."""
    from ..composition import open_database
    from ..store.schema import migrate as upgrade

    speaker = Speaker(lang)
    configuration = configuration_of(config, speaker)

    async def run() -> tuple[str | None, str]:
        database = open_database(configuration.settings.store_url.get_secret_value())
        try:
            return await upgrade(database)
        finally:
            await database.close()

    before, now = asyncio.run(run())
    speaker.out.print(speaker.t(f"数据库结构 {before or '无'} → {now}", f"database schema {before or 'none'} -> {now}"))

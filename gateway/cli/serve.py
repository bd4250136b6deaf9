"""``tongguan serve``: the five steps and HTTP, until SIGTERM or Ctrl-C."""

import asyncio
import gc
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from .options import USAGE, Config, Lang, Speaker, configuration_of

if TYPE_CHECKING:
    from ..assembly import Configuration

GARBAGE_EVERY = 50_000
"""Objects made between two looks for garbage; a batch makes tens of thousands, and next to none of them in cycles."""

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="STEP", help="只运行这些步骤 / only these: intake dispatch receive route tend"),
]


def serve(
    config: Config = None,
    only: Only = None,
    http: Annotated[bool, typer.Option(help="提供 HTTP 接口 / listen for HTTP")] = True,
    lang: Lang = None,
) -> None:
    """运行网关，直到 SIGTERM 或 Ctrl-C / run the gateway until SIGTERM or Ctrl-C."""
    from ...messages.faults import Refused
    from ...queue.bus import BusError
    from ..logs import configure as configure_logs
    from ..serving import STEPS

    speaker = Speaker(lang)
    if unknown := [each for each in only or () if each not in STEPS]:
        speaker.stop(f"没有步骤 {unknown[0]}：{' '.join(STEPS)}", f"no step {unknown[0]}: {' '.join(STEPS)}", USAGE)
    configuration = configuration_of(config, speaker)
    speaker.problems(configuration.warnings)
    configure_logs(configuration.settings.log_format, configuration.settings.log_level)
    try:
        asyncio.run(_serve(configuration, speaker, only, http=http))
    except Refused as refused:
        speaker.faults(refused.faults)
        raise typer.Exit(1) from None
    except BusError as error:
        speaker.faults([error.fault])
        raise typer.Exit(1) from None


async def _serve(configuration: "Configuration", speaker: Speaker, only: list[str] | None, *, http: bool) -> None:
    from ..assembly import open_bus, open_gateway, seal_key
    from ..http import make_app, serve_http
    from ..serving import STEPS, Service, Step

    settings = configuration.settings
    async with open_gateway(configuration, serving=True) as gateway, open_bus(settings, gateway.sealer) as bus:
        steps: list[Step] = [step for step in STEPS if not only or only.count(step)]
        service = Service(gateway, bus, seal_key(gateway), steps)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, service.stop)
        runner = await serve_http(make_app(gateway, service), settings.http_host, settings.http_port) if http else None
        if runner:
            address = f"http://{settings.http_host}:{settings.http_port}"
            speaker.say(f"通关网关运行中：{address}", f"Tongguan is up at {address}")
        count, names = len(configuration.eports), " ".join(steps)
        speaker.say(
            f"配置 {configuration.folder}，电子口岸 {count} 个，步骤 {names}",
            f"configuration {configuration.folder}, e-ports: {count}, steps: {names}",
        )
        _warm_up()
        try:
            await service.run()
        finally:
            if runner:
                await runner.cleanup()
    speaker.say("已停止", "stopped")


def _warm_up() -> None:
    """Compile the schemas before the first message needs them, and look for garbage only among what comes after.

    The schemas alone are some hundred thousand objects that stay; looking through them again and again is a tenth of
    all the gateway does.
    """
    from ...messages.codec import load_codec

    load_codec()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY)

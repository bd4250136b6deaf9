"""Lost connections and cancellations are told apart, although the AMQP library mixes them up."""

import asyncio

import pytest

from tongguan.queue.link import lost_is_fine


async def test_a_lost_connection_does_not_hide_that_the_task_is_cancelled():
    async def work():
        with lost_is_fine():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                raise ConnectionError from None

    working = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working


async def test_a_library_that_cancels_what_waits_does_not_end_the_task():
    async def work():
        with lost_is_fine():
            raise asyncio.CancelledError
        return "went on"

    assert await asyncio.ensure_future(work()) == "went on"

"""Who waits for a process may stop waiting; everybody else hears of its end all the same."""

import asyncio
import contextlib
import os
import sys

import psutil

from otherside.twin.host.processes import Processes
from processes import words


def with_processes(tmp_path, story):
    """Run a story with a supervisor of its own."""

    async def told():
        tmp_path.mkdir()
        processes = Processes(tmp_path)
        await processes.open()
        try:
            return await asyncio.wait_for(story(processes), 30)
        finally:
            await processes.close()

    return asyncio.run(told())


def sleeping(processes, tmp_path, seconds):
    """Ask for a process that sleeps."""
    code = f"import time; time.sleep({seconds})"
    argv, env = [sys.executable, "-S", "-c", code], {"PATH": os.defpath}
    return processes.start(argv, log=tmp_path / f"{seconds}.log", env=env)


def test_a_wait_that_is_given_up_hides_no_end(tmp_path):
    """Neither that process's, nor those of all that end after it."""

    async def story(processes):
        short = await sleeping(processes, tmp_path, 0.5)
        impatient = asyncio.create_task(short.wait())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        assert short.running
        await short.wait()
        later = await sleeping(processes, tmp_path, 0.1)
        return await later.wait()

    assert with_processes(tmp_path / "twin", story) == 0


def test_a_process_that_nobody_waits_for_any_more_is_ended(tmp_path):
    """It was asked for, and whoever asked was gone before it stood; later ones are heard of."""

    async def story(processes):
        asked = asyncio.create_task(sleeping(processes, tmp_path, 60))
        await asyncio.sleep(0)
        asked.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asked
        later = await sleeping(processes, tmp_path, 0.1)
        code = await later.wait()
        running = psutil.Process().children(recursive=True)
        return code, [each for each in running if "sleep(60)" in words(each)]

    assert with_processes(tmp_path / "twin", story) == (0, [])

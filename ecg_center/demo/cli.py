"""``ecg-center demo``: what stands on the screen of whoever tries the centre?"""

import argparse
import asyncio
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from ecg_center.demo.community import CLINICS, LEAD, PASSWORD, PEOPLE
from ecg_center.demo.machine import DemoError, Machine, quiet_logs
from ecg_center.demo.once import StepFailedError, Story, run_once
from ecg_center.embedded.files import EmbeddedError, folder_of_ones_own
from ecg_center.embedded.ports import free_port
from ecg_center.embedded.postgres import EmbeddedPostgres
from ecg_center.supervised import SupervisorError
from ecg_center.supervisor import Supervisor

DEFAULT_PORT = 8080


def run_demo(chosen: argparse.Namespace) -> int:
    """Run the demo as the command line asks; returns its exit code."""
    quiet_logs()
    try:
        if chosen.reset:
            return asyncio.run(_reset(chosen.folder))
        if chosen.once:
            return asyncio.run(_once(chosen))
        return asyncio.run(_demo(chosen))
    except (DemoError, SupervisorError, StepFailedError, EmbeddedError) as error:
        print(f"ecg-center demo: {error}", file=sys.stderr)
        return 1


async def _demo(chosen: argparse.Namespace) -> int:
    machine = Machine(chosen.folder, chosen.port)
    with machine.supervisor.signals():
        starting = asyncio.ensure_future(machine.start(fleet=True))
        asked = asyncio.ensure_future(machine.supervisor.wait_stop_asked())
        try:
            await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
                print(_welcome(machine), flush=True)
                await asked
        finally:
            for task in (starting, asked):
                task.cancel()
            await asyncio.gather(starting, asked, return_exceptions=True)
            await machine.supervisor.stop()
    return 0


async def _once(chosen: argparse.Namespace) -> int:
    """The whole job in a folder of its own, so that it disturbs no demo and leaves nothing."""
    folder = folder_of_ones_own("center-once")
    machine = Machine(folder, free_port(), quiet=True)
    try:
        with machine.supervisor.signals():
            working = asyncio.ensure_future(_start_and_run(machine))
            asked = asyncio.ensure_future(machine.supervisor.wait_stop_asked())
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
                return 130
            stories = working.result()
        print(
            json.dumps([asdict(story) for story in stories], ensure_ascii=False, indent=1)
            if chosen.json
            else _told(stories)
        )
        return 0
    except StepFailedError:
        print(f"ecg-center demo: the logs are kept in {folder / 'logs'}", file=sys.stderr)
        raise
    finally:
        await machine.supervisor.stop()
        if sys.exc_info()[0] is None:
            machine.postgres.reset()
            shutil.rmtree(folder, ignore_errors=True)


async def _start_and_run(machine: Machine) -> list[Story]:
    await machine.start(fleet=False)
    return await run_once(machine)


async def _reset(folder: Path) -> int:
    if await asyncio.to_thread(folder.exists):
        async with Supervisor([], folder, None):  # takes the folder, or says that a demo runs there
            await asyncio.to_thread(EmbeddedPostgres(folder / "postgres").reset)
        await asyncio.to_thread(shutil.rmtree, folder)
    print(f"the demo's data in {folder} are gone")
    return 0


def _told(stories: list[Story]) -> str:
    lines: list[str] = []
    for story in stories:
        lines.append(f"\n{story.transport.upper()}  {story.accession_number}  study {story.study_id}")
        lines.append(f"  {'ms':>7}  {'step ms':>7}  step")
        for line in story.timeline:
            state = f" → {line['to_state']}" if line["to_state"] and line["to_state"] != line["from_state"] else ""
            who = f"{line['actor_kind']} {line['actor_name']}"
            lines.append(f"  {line['total_ms']:>7}  {line['step_ms']:>7}  {line['what']}{state}  ({who})")
        lines.append(f"  printed: the signed document, sha256 {story.printed_sha256[:16]}…")
    lines.append("\nEvery step happened.")
    return "\n".join(lines)


def _welcome(machine: Machine) -> str:
    names = {form.code: f"{form.name} {form.name_en}" for form in (LEAD, *CLINICS)}
    rows = [
        f"    {person.login:<7} {person.name}  {'/'.join(person.roles):<11} {names[person.institution]}: {person.does}"
        for person in PEOPLE
    ]
    return "\n".join(
        [
            "",
            f"  The centre is open:  {machine.pages_url}",
            "",
            f"  Sign in (every password is {PASSWORD}):",
            *rows,
            "",
            "  Try first:",
            "    1. as wang: the worklist fills by itself; press N for the next study, read it, sign it",
            "    2. as li, in another browser: review and release it",
            f"    3. look at the printed page in {machine.folder / 'printed'}",
            "    4. as t1: register an exam and mark it as chest pain; a recorder takes it from its worklist",
            "",
            "  Nothing here is a patient: every name says 演示 or DEMO.",
            f"  Ctrl-C stops all.  Logs: {machine.folder / 'logs'}",
            "",
        ]
    )

"""``ecg-gateway``: what can be done with a clinic's gateway from the command line?"""

import argparse
import asyncio
import json
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ecg_center.contract.settings import SettingsError

if TYPE_CHECKING:
    from gateway.settings import GatewaySettings
    from gateway.spool import Spool

DESCRIPTION = """\
The gateway stands at the clinic. Recorders send to it by DICOM or MQTT; it answers "safe" once a recording is on its
disk, carries it to the centre over whatever network there is, and prints the signed reports that come back.
"""

EXAMPLES = """\
first steps:
  1. at the centre, make a gateway and note its token
  2. write ecg-center.toml:
        [gateway]
        centre_url = "https://ecg.county.example"
        token = "the token"
        [gateway.devices]
        ECG_ROOM1 = "C01"          # calling AE title or MQTT device id -> institution
        [gateway.printers]
        C01 = "ipp://192.168.1.20:631/ipp/print"
  3. ecg-gateway check
  4. ecg-gateway run
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    parser = _parser(with_simulate="simulate" in words)
    options = parser.parse_args(words)
    if options.command == "simulate":
        return _simulate(options)
    os.umask(0o077)  # what the gateway writes is about patients: for its own user alone
    try:
        return _COMMANDS[options.command](options)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2


def _parser(*, with_simulate: bool) -> argparse.ArgumentParser:
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="ecg-gateway", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=shape
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="settings file (else ECG_CONFIG, ./ecg-center.toml)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="be the gateway, until SIGTERM or Ctrl-C")
    run.add_argument("--verbose", action="store_true", help="log every step")
    commands.add_parser("check", help="try settings, disk, centre, broker and printers, and say what is wrong")
    status = commands.add_parser("status", help="what lies in the spool; works beside a running gateway")
    status.add_argument("--json", action="store_true", help="for programs")
    commands.add_parser("retry", help="send again what the centre refused, after the cause was put right")
    put = commands.add_parser("put", help="put a recording into the spool by hand, e.g. from a USB stick")
    put.add_argument("file", type=Path, help="the recording, in any format the centre reads")
    put.add_argument("--clinic", required=True, metavar="CODE", help="institution code that it belongs to")
    put.add_argument("--device", required=True, metavar="NAME", help="the recorder that made it")
    put.add_argument("--accession", metavar="NUMBER", help="accession number of its order, if there is one")
    put.add_argument("--chest-pain", action="store_true", help="as if the chest-pain button had been pressed")
    if with_simulate and find_spec("gateway.simulate.cli"):
        import_module("gateway.simulate.cli").add_arguments(commands)
    else:
        commands.add_parser("simulate", help="simulated recorders that send over the real protocols")
    return parser


def _simulate(options: argparse.Namespace) -> int:
    if not find_spec("gateway.simulate.cli"):
        print("this installation has no simulated recorders (gateway.simulate is missing)", file=sys.stderr)
        return 2
    return int(import_module("gateway.simulate.cli").run(options) or 0)


def _settings(options: argparse.Namespace) -> "GatewaySettings":
    from gateway.settings import GatewaySettings

    return GatewaySettings.load(options.config)


def _spool(options: argparse.Namespace) -> "Spool":
    from gateway.spool import Spool

    settings = _settings(options)
    spool = Spool(settings.spool, settings)
    try:
        spool.attach()
    except OSError as error:
        raise SettingsError(f"spool folder {settings.spool} cannot be used: {error}; set `spool`") from None
    return spool


def _run(options: argparse.Namespace) -> int:
    settings = _settings(options)
    from gateway.items import SpoolBusyError
    from gateway.logs import configure
    from gateway.service import Service

    configure(verbose=options.verbose)

    async def serve() -> None:
        await Service(settings).run()

    try:
        asyncio.run(serve())
    except SpoolBusyError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"spool folder {settings.spool} cannot be used: {error}; set `spool`", file=sys.stderr)
        return 1
    return 0


def _check(options: argparse.Namespace) -> int:
    settings = _settings(options)
    from gateway.check import run_checks
    from gateway.logs import configure

    configure(verbose=False, quiet=True)
    findings = asyncio.run(run_checks(settings))
    for finding in findings:
        print(f"{'ok   ' if finding.good else 'WRONG'} {finding.what}: {finding.says}")
    return 0 if all(finding.good for finding in findings) else 1


def _status(options: argparse.Namespace) -> int:
    spool = _spool(options)
    stats = spool.stats()
    refused = [
        {
            "sha256": item.offer.sha256,
            "institution": item.offer.institution_code,
            "device": item.offer.device,
            "safe_at": item.offer.safe_at.isoformat(timespec="seconds"),
            "problem": item.problem.detail if item.problem else "",
        }
        for item in spool.items("refused")
    ]
    said = {
        "spool": str(spool.root),
        "waiting": stats.waiting,
        "waiting_bytes": stats.waiting_bytes,
        "oldest_at": stats.oldest_at.isoformat(timespec="seconds") if stats.oldest_at else None,
        "delivered_kept": stats.delivered,
        "delivered_bytes": stats.delivered_bytes,
        "corrupt": stats.corrupt,
        "disk_free_bytes": stats.disk_free_bytes,
        "refused": refused,
    }
    if options.json:
        print(json.dumps(said, indent=1, ensure_ascii=False))
        return 0
    for name, value in said.items():
        print(f"{name.replace('_', ' '):>16}  {len(value) if isinstance(value, list) else value}")
    for item in refused:
        print(f"refused {item['sha256'][:12]} of {item['device']} ({item['institution']}): {item['problem']}")
    return 0


def _retry(options: argparse.Namespace) -> int:
    count = _spool(options).retry()
    print(f"{count} refused recordings wait for the centre again" if count else "nothing was refused")
    return 0


def _put(options: argparse.Namespace) -> int:
    from gateway.items import SpoolError
    from gateway.logs import configure
    from gateway.put import put

    configure(verbose=False, quiet=True)
    settings = _settings(options)
    if options.clinic not in set(settings.devices.values()):
        known = ", ".join(sorted(set(settings.devices.values()))) or "none"
        print(f"no device of [gateway.devices] belongs to {options.clinic!r}; known: {known}", file=sys.stderr)
        return 2
    try:
        item = put(
            _spool(options),
            options.file,
            clinic=options.clinic,
            device=options.device,
            accession=options.accession,
            chest_pain=options.chest_pain,
            zone=settings.zone,
        )
    except (OSError, SpoolError) as error:
        print(f"not put: {error}", file=sys.stderr)
        return 1
    print(f"safe: {item.offer.sha256} ({item.offer.size_bytes} bytes), {item.state}")
    return 0


_COMMANDS = {"run": _run, "check": _check, "status": _status, "retry": _retry, "put": _put}


if __name__ == "__main__":
    sys.exit(main())

"""``ecg-gateway simulate``: which simulated devices are there, and how are they started?"""

import argparse
import asyncio
import json
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ecg_center.contract.upload import RecordingIdentity
    from gateway.simulate.dicom_device import DicomDevice
    from gateway.simulate.mqtt_device import MqttDevice
    from gateway.simulate.studies import Recorded

DESCRIPTION: Final = """\
Simulated recorders and a simulated printer. They speak the real protocols to a real gateway, and everything they send
says that nobody was recorded: names begin with 演示 / DEMO, patient ids with DEMO-.
"""

EXAMPLES: Final = """\
examples:
  ecg-gateway simulate list
        the pathologies, with what a reader should find
  ecg-gateway simulate write stemi-anterior anterior.dcm
        one 12-lead ECG as a DICOM file
  ecg-gateway simulate holter day.ecg --hours 24
        a day of ECG in the ISHNE format
  ecg-gateway simulate abpm non-dipper day.json
        24 hours of blood pressures
  ecg-gateway simulate dicom --to 127.0.0.1:11112 --ae ECG_ROOM1 --order
        take the first open order from the worklist, record it, C-STORE it
  ecg-gateway simulate mqtt --broker mqtt://127.0.0.1:1883 --clinic C01 --device 4g-1 stemi-inferior
        upload in segments; the copy in --folder is deleted only after the gateway's "safe"
  ecg-gateway simulate fleet --dicom ECG_ROOM1@127.0.0.1:11112 --mqtt C02/4g-1 --broker mqtt://127.0.0.1:1883
        keep sending until Ctrl-C, orders first
  ecg-gateway simulate printer --folder pages --port 6631
        an IPP printer; what it prints lies in the folder

a broker that asks who is there gets ECG_SIMULATE_MQTT_USERNAME and ECG_SIMULATE_MQTT_PASSWORD from the environment.
"""

USERNAME_VARIABLE: Final = "ECG_SIMULATE_MQTT_USERNAME"
PASSWORD_VARIABLE: Final = "ECG_SIMULATE_MQTT_PASSWORD"  # noqa: S105 - the name of a variable

_SHAPE: Final = argparse.RawDescriptionHelpFormatter


class UsageError(Exception):
    """The command line cannot be carried out; the message says how to write it."""


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``simulate`` and what can be simulated to the gateway's command line."""
    simulate = subparsers.add_parser(
        "simulate",
        help="simulated recorders that send over the real protocols",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=_SHAPE,
    )
    kinds = simulate.add_subparsers(dest="simulate", required=True, metavar="WHAT")
    kinds.add_parser("list", help="the pathologies").add_argument("--json", action="store_true", help="for programs")
    write = kinds.add_parser("write", help="write one recording as a DICOM file")
    _add_recording(write)
    write.add_argument("file", type=Path, metavar="FILE", help="where to; - for standard output")
    write.add_argument("--truth", action="store_true", help="print what is true of the recording, as JSON")
    holter = kinds.add_parser("holter", help="write a day of ECG as an ISHNE file")
    holter.add_argument("file", type=Path, metavar="FILE", help="where to")
    holter.add_argument("--hours", type=float, default=24.0, metavar="H", help="how long it was worn (24)")
    holter.add_argument("--person", type=int, default=1, metavar="N", help="demo person 1 to 9999, also the seed")
    abpm = kinds.add_parser("abpm", help="write a day of blood pressures as JSON")
    abpm.add_argument("profile", nargs="?", default="hypertension", metavar="PROFILE", help="normal, severe, …")
    abpm.add_argument("file", type=Path, metavar="FILE", help="where to; - for standard output")
    abpm.add_argument("--person", type=int, default=1, metavar="N", help="demo person 1 to 9999, also the seed")
    _add_dicom(kinds.add_parser("dicom", help="be one DICOM recorder once: C-ECHO, worklist, C-STORE"))
    _add_mqtt(kinds.add_parser("mqtt", help="be one 4G recorder once: a resumable upload in segments"))
    _add_fleet(kinds.add_parser("fleet", help="be several recorders until Ctrl-C"))
    printer = kinds.add_parser("printer", help="be a clinic's IPP printer until Ctrl-C")
    printer.add_argument("--folder", type=Path, required=True, metavar="DIR", help="where the printed pages go")
    printer.add_argument("--port", type=int, default=6631, help="TCP port on this machine (default 6631)")
    printer.add_argument("--name", default="Demo printer", help="printer-name")
    printer.add_argument("--built-in", action="store_true", help="do not use CUPS' ippeveprinter though it is there")


def _add_recording(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pathology", nargs="?", default="sinus", metavar="PATHOLOGY", help="see `simulate list` (default sinus)"
    )
    parser.add_argument("--person", type=int, default=1, metavar="N", help="demo person 1 to 9999, also the seed")
    parser.add_argument("--rate", type=float, metavar="BPM", help="ventricular rate (default: usual for the pathology)")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="length (default 10)")
    parser.add_argument("--hz", type=int, default=500, help="sampling rate, 250 to 1000 (default 500)")
    parser.add_argument("--chest-pain", action="store_true", help="press the chest-pain button")


def _add_dicom(parser: argparse.ArgumentParser) -> None:
    _add_recording(parser)
    parser.add_argument("--to", required=True, metavar="HOST:PORT", help="the gateway's DICOM port")
    parser.add_argument("--ae", default="SIMULATOR", metavar="TITLE", help="our AE title, known to the gateway")
    parser.add_argument("--called", default="ECGGATEWAY", metavar="TITLE", help="the gateway's AE title")
    order = parser.add_mutually_exclusive_group()
    order.add_argument("--order", action="store_true", help="record the worklist's first order; none is an error")
    order.add_argument("--accession", metavar="NUMBER", help="record this order of the worklist")
    order.add_argument("--echo", action="store_true", help="only verify the line")
    parser.add_argument("--give-up", type=float, default=60.0, metavar="S", help="try for so long (default 60)")


def _add_mqtt(parser: argparse.ArgumentParser) -> None:
    _add_recording(parser)
    parser.add_argument("--broker", required=True, metavar="URL", help="mqtt://host:1883 or mqtts://host:8883")
    parser.add_argument("--clinic", required=True, metavar="CODE", help="institution code")
    parser.add_argument("--device", required=True, metavar="ID", help="device id, known to the gateway")
    parser.add_argument("--folder", type=Path, default=Path("simulated-device"), metavar="DIR", help="its memory")
    parser.add_argument("--file", type=Path, metavar="FILE", help="send this file instead of a simulated recording")
    parser.add_argument("--accession", metavar="NUMBER", help="as typed in at the recorder: the order it belongs to")
    parser.add_argument("--segment", type=int, default=16384, metavar="BYTES", help="segment size (default 16384)")
    parser.add_argument("--slow", type=float, default=0.0, metavar="S", help="pause after each segment, a slow line")
    parser.add_argument("--mqtt-311", action="store_true", help="speak MQTT 3.1.1 instead of 5")
    parser.add_argument("--pending", action="store_true", help="only send what an earlier run left in the folder")
    parser.add_argument("--give-up", type=float, default=60.0, metavar="S", help="try for so long (default 60)")


def _add_fleet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dicom", action="append", default=[], metavar="AE@HOST:PORT", help="a DICOM recorder")
    parser.add_argument("--called", default="ECGGATEWAY", metavar="TITLE", help="the gateway's AE title")
    parser.add_argument("--mqtt", action="append", default=[], metavar="CLINIC/DEVICE", help="a 4G recorder")
    parser.add_argument(
        "--abpm",
        action="append",
        default=[],
        metavar="CLINIC/DEVICE=AE@HOST:PORT",
        help="a recorder of blood pressures, and the DICOM station whose worklist it reads",
    )
    parser.add_argument(
        "--holter",
        action="append",
        default=[],
        metavar="CLINIC/DEVICE=AE@HOST:PORT",
        help="a Holter recorder, likewise",
    )
    parser.add_argument("--holter-hours", type=float, default=24.0, metavar="H", help="how long they are worn (24)")
    parser.add_argument("--broker", metavar="URL", help="for the 4G recorders and those that are worn for a day")
    parser.add_argument("--folder", type=Path, default=Path("simulated-devices"), metavar="DIR", help="their memory")
    parser.add_argument("--every", default="20-40", metavar="A-B", help="seconds between recordings (default 20-40)")
    parser.add_argument("--count", type=int, metavar="N", help="end after N recordings without order")
    parser.add_argument("--only", metavar="PATHOLOGY", help="always this one, instead of the mixture")
    parser.add_argument("--seed", type=int, metavar="N", help="the same choices at each start")


def run(args: argparse.Namespace) -> int:
    """Carry a ``simulate`` command out; the exit code."""
    from gateway.logs import configure
    from gateway.simulate.dicom_device import DicomDeviceError
    from gateway.simulate.mqtt_device import MqttDeviceError
    from gateway.simulate.printer import PrinterError

    configure(verbose=False)
    commands = {
        "list": _list,
        "write": _write,
        "holter": _holter,
        "abpm": _abpm,
        "dicom": _dicom,
        "mqtt": _mqtt,
        "fleet": _fleet,
        "printer": _printer,
    }
    try:
        return commands[args.simulate](args)
    except (UsageError, ValueError) as error:
        print(f"simulate {args.simulate}: {error}", file=sys.stderr)
        return 2
    except (DicomDeviceError, MqttDeviceError, PrinterError, OSError) as error:
        print(f"simulate {args.simulate}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _list(args: argparse.Namespace) -> int:
    from gateway.simulate.pathologies import SCENARIOS

    if args.json:
        rows = [
            {
                "name": r.pathology,
                "zh": r.title_zh,
                "en": r.title_en,
                "statements": r.statements,
                "critical": r.critical,
            }
            for r in SCENARIOS.values()
        ]
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    for row in SCENARIOS.values():
        mark = "  危急值 critical" if row.critical else ""
        print(f"{row.pathology:26} {row.title_zh} · {row.title_en}{mark}")
    return 0


def _recorded(args: argparse.Namespace, device: str, **more: object) -> "Recorded":
    from gateway.simulate.pathologies import scenario
    from gateway.simulate.studies import record

    return record(
        scenario(args.pathology).pathology,
        args.person,
        datetime.now(UTC).astimezone() - timedelta(seconds=args.seconds),
        device=device,
        chest_pain=True if args.chest_pain else None,
        duration_s=args.seconds,
        sampling_hz=args.hz,
        rate_bpm=args.rate,
        **more,  # type: ignore[arg-type]
    )


def _write(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    recorded = _recorded(args, "SIMULATOR")
    if str(args.file) == "-":
        sys.stdout.buffer.write(recorded.file.content)
    else:
        args.file.write_bytes(recorded.file.content)
    if args.truth:
        print(json.dumps(asdict(recorded.ecg.truth), ensure_ascii=False, indent=1), file=sys.stderr)
    return 0


def _holter(args: argparse.Namespace) -> int:
    from gateway.simulate.holter import record_day

    started_at = (datetime.now(UTC) - timedelta(hours=args.hours)).replace(minute=0, second=0, microsecond=0)
    try:
        day = record_day(args.person, started_at, hours=args.hours)
    except ValueError as error:
        raise UsageError(str(error)) from None
    args.file.write_bytes(day.content)
    return 0


def _abpm(args: argparse.Namespace) -> int:
    from gateway.simulate.pressures import PressureProfile, record_day

    known = [profile.value for profile in PressureProfile]
    if args.profile not in known:
        raise UsageError(f"no profile {args.profile!r}; known: {', '.join(known)}")
    started_at = (datetime.now(UTC) - timedelta(hours=24)).replace(minute=0, second=0, microsecond=0)
    day = record_day(PressureProfile(args.profile), args.person, started_at, device="SIMULATOR")
    if str(args.file) == "-":
        sys.stdout.buffer.write(day.content)
    else:
        args.file.write_bytes(day.content)
    return 0


def _dicom(args: argparse.Namespace) -> int:
    from gateway.simulate.studies import is_resting

    device = _dicom_device(f"{args.ae}@{args.to}", args.called)
    if args.echo:
        print(f"C-ECHO answered with Success in {device.echo():.0f} ms")
        return 0
    order = None
    if args.order or args.accession:
        orders = device.worklist()
        order = next((o for o in orders if is_resting(o) and args.accession in {None, o.accession_number}), None)
        if order is None:
            wanted = args.accession or "any"
            print(f"no order {wanted} in the worklist ({len(orders)} open); register an exam first", file=sys.stderr)
            return 1
    recorded = _recorded(args, args.ae, order=order)
    times = device.deliver(recorded.file, urgent=recorded.urgent, give_up_after_s=args.give_up)
    _tell(
        device=args.ae,
        name=recorded.name,
        pathology=recorded.ecg.pathology,
        accession_number=order.accession_number if order else None,
        sop_instance_uid=times.sop_instance_uid,
        sent_at=times.sent_at.isoformat(),
        success_at=times.success_at.isoformat(),
        milliseconds=round(times.milliseconds, 1),
        attempts=times.attempts,
    )
    return 0


def _mqtt(args: argparse.Namespace) -> int:
    from gateway.simulate.mqtt_device import UploadTimes

    if args.segment < 1 or args.slow < 0:
        raise UsageError("--segment is at least 1 byte and --slow at least 0 seconds")
    device = _mqtt_device(f"{args.clinic}/{args.device}", args.broker, args.folder)
    device.segment_bytes, device.segment_pause_s, device.mqtt_311 = args.segment, args.slow, args.mqtt_311

    async def send() -> list[UploadTimes]:
        if args.pending:
            return await device.upload_pending(args.give_up)
        content, identity, name = _mqtt_recording(args)
        kind = "application/dicom" if content[128:132] == b"DICM" else "application/octet-stream"
        return [await device.upload(content, identity, media_type=kind, name=name, give_up_after_s=args.give_up)]

    for times in asyncio.run(send()):
        _tell(
            device=args.device,
            sha256=times.sha256,
            size=times.size,
            sent_at=times.sent_at.isoformat(),
            success_at=times.success_at.isoformat(),
            milliseconds=round(times.milliseconds, 1),
            segments=times.segments,
            connections=times.connections,
        )
    return 0


def _mqtt_recording(args: argparse.Namespace) -> "tuple[bytes, RecordingIdentity, str]":
    from ecg_center.contract.upload import RecordingIdentity
    from gateway.simulate.dicom_file import WorklistOrder, stable_uid
    from gateway.simulate.patients import demo_person

    if args.file:
        # whose recording it is stands in the file; the recorder adds only what was typed in and pressed
        pressed = True if args.chest_pain else None
        identity = RecordingIdentity(accession_number=args.accession, urgent=pressed, chest_pain=pressed)
        return args.file.read_bytes(), identity, args.file.name
    order = None
    if args.accession:
        person = demo_person(args.person, args.pathology)
        name = f"{person.name_latin}={person.name_zh}"
        study = stable_uid(f"study/{args.clinic}/{args.accession}")
        order = WorklistOrder(args.accession, study, person.patient_id, name, person.sex, person.birth_date)
    recorded = _recorded(args, args.device, order=order)
    return recorded.file.content, recorded.identity, f"{recorded.file.sop_instance_uid}.dcm"


def _fleet(args: argparse.Namespace) -> int:
    from gateway.simulate.fleet import Fleet, run_until_signal
    from gateway.simulate.holter_recorder import HolterRecorder
    from gateway.simulate.pathologies import scenario
    from gateway.simulate.pressure_recorder import PressureRecorder

    fast, slow = _range(args.every)
    if (args.mqtt or args.abpm or args.holter) and not args.broker:
        raise UsageError("--mqtt, --abpm and --holter want the broker: --broker mqtt://host:1883")
    devices = [_mqtt_device(name, args.broker, args.folder / name.replace("/", "-")) for name in args.mqtt]
    if not args.dicom and not devices:
        raise UsageError("name at least one recorder: --dicom AE@HOST:PORT or --mqtt CLINIC/DEVICE")

    def told(device: str, recorded: "Recorded", milliseconds: float) -> None:
        print(f"{device}: {recorded.name} ({recorded.ecg.pathology}) safe in {milliseconds:.0f} ms", flush=True)

    fleet = Fleet(
        dicom=[_dicom_device(name, args.called) for name in args.dicom],
        mqtt=devices,
        worn=[
            *(PressureRecorder(*_worn(words, args)) for words in args.abpm),
            *(HolterRecorder(*_worn(words, args), hours=args.holter_hours) for words in args.holter),
        ],
        every_s=(fast, slow),
        count=args.count,
        pathology=scenario(args.only).pathology if args.only else None,
        seed=args.seed,
        on_sent=told,
    )
    asyncio.run(run_until_signal(fleet))
    return 0 if args.count is None or fleet.sent >= args.count else 1


def _printer(args: argparse.Namespace) -> int:
    import signal
    import threading

    from gateway.simulate.printer import start_printer

    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    printer = start_printer(
        args.folder.absolute(), args.port, args.name, prefer="built-in" if args.built_in else "ippeveprinter"
    )
    try:
        print(f"{printer.uri} ({printer.kind}) prints into {printer.folder}", flush=True)
        while not ended.wait(0.5):
            if not printer.alive():
                print("the printer ended by itself", file=sys.stderr)
                return 1
    finally:
        printer.stop()
    return 0


def _dicom_device(text: str, called: str) -> "DicomDevice":
    from gateway.simulate.dicom_device import DicomDevice

    found = re.fullmatch(r"(?P<ae>[^@\\]{1,16})@(?P<host>[^:]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})", text)
    if found is None:
        raise UsageError(f"{text!r} is not AE@HOST:PORT (AE title of at most 16 characters)")
    return DicomDevice(found["ae"], found["host"].strip("[]"), int(found["port"]), called)


def _mqtt_device(text: str, broker: str, folder: Path) -> "MqttDevice":
    from gateway.simulate.mqtt_device import MqttDevice

    clinic, slash, device = text.partition("/")
    if not slash:
        raise UsageError(f"{text!r} is not CLINIC/DEVICE")
    user, password = os.environ.get(USERNAME_VARIABLE), os.environ.get(PASSWORD_VARIABLE)
    return MqttDevice(clinic, device, broker, folder, user, password)


def _worn(text: str, args: argparse.Namespace) -> "tuple[MqttDevice, DicomDevice]":
    device, equals, station = text.partition("=")
    if not equals:
        raise UsageError(f"{text!r} is not CLINIC/DEVICE=AE@HOST:PORT")
    mqtt = _mqtt_device(device, args.broker, args.folder / device.replace("/", "-"))
    return mqtt, _dicom_device(station, args.called)


def _range(text: str) -> tuple[float, float]:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?", text)
    if found is None:
        raise UsageError(f"--every {text!r}: write two numbers of seconds like 20-40, or one")
    first, last = float(found[1]), float(found[2] or found[1])
    if first > last:
        raise UsageError(f"--every {text!r}: the smaller number comes first")
    return first, last


def _tell(**what: object) -> None:
    print(json.dumps(what, ensure_ascii=False))

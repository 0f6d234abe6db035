"""``ecg-center``: what an administrator does at the centre's machine."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ecg_center import __version__

if TYPE_CHECKING:
    from types import FrameType

    import uvicorn
    from fastapi import FastAPI

    from ecg_center.settings import CenterSettings
    from ecg_center.store.settings import StoreSettings

DESCRIPTION = """\
The ECG diagnosis centre: web pages, jobs, database.

Settings come from one TOML file (--config, else ECG_CONFIG, else ./ecg-center.toml) and from environment
variables, which win; deploy/ecg-center.example.toml documents every one.
"""
EPILOG = """\
first steps:
  ecg-center demo                 a whole centre on this machine, with simulated devices
  ecg-center demo --once          the whole job once, unattended, with its timeline
  ecg-center migrate              bring the database of [store] owner_database_url to this version
  ecg-center serve                the web application (behind a TLS reverse proxy)
  ecg-center jobs                 the centre's background jobs; run at least one
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="ecg-center", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--version", action="version", version=f"ecg-center {__version__}")
    top.add_argument("--config", type=Path, metavar="FILE", help="the TOML file with the settings")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("serve", help="run the web application")
    commands.add_parser("jobs", help="do the centre's background jobs")
    commands.add_parser("migrate", help="bring the database to this version's schema")
    commands.add_parser("check", help="check the settings, the database and the stores, and say what is wrong")
    demo = commands.add_parser(
        "demo",
        help="run a whole centre on this machine with simulated devices",
        description="Starts PostgreSQL, an MQTT broker, the centre, a worker, a gateway, printers and simulated "
        "devices under one supervisor. Ctrl-C stops all; a second start finds its data again.",
    )
    demo.add_argument(
        "--once", action="store_true", help="do the whole job once, unattended; exit 0 only if all happened"
    )
    demo.add_argument("--json", action="store_true", help="with --once: print the timelines as JSON")
    demo.add_argument("--reset", action="store_true", help="delete the demo's data")
    demo.add_argument("--folder", type=Path, default=Path(".data/demo"), help="where the demo keeps its data")
    demo.add_argument("--port", type=int, default=8080, help="the port of the pages (default 8080)")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    from ecg_center.contract.settings import SettingsError

    chosen = parser().parse_args(arguments)
    try:
        return _run(chosen)
    except SettingsError as error:
        print(f"ecg-center: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(chosen: argparse.Namespace) -> int:
    if chosen.command == "demo":
        from ecg_center.demo.cli import run_demo

        return run_demo(chosen)
    from ecg_center.store.settings import StoreSettings

    store = StoreSettings.load(chosen.config)
    if chosen.command == "migrate":
        return _migrate(store)
    from ecg_center.settings import CenterSettings

    center = CenterSettings.load(chosen.config)
    if chosen.command == "serve":
        return _serve(store, center)
    if chosen.command == "jobs":
        import asyncio

        from ecg_center.jobs import run_jobs
        from ecg_center.logs import configure_logs

        configure_logs()
        asyncio.run(run_jobs(store, center))
        return 0
    from ecg_center.checks import check

    return check(store, center)


def _migrate(store: "StoreSettings") -> int:
    from ecg_center.contract.settings import SettingsError
    from ecg_center.store.migrate import upgrade

    if store.owner_database_url is None:
        raise SettingsError("[store] owner_database_url (environment ECG_OWNER_DATABASE_URL) is needed to migrate")
    upgrade(store.owner_database_url)
    print("the database has this version's schema")
    return 0


def server_config(app: "FastAPI", center: "CenterSettings") -> "uvicorn.Config":
    """How the web application is served; only the named proxies are believed about who asks."""
    import uvicorn

    return uvicorn.Config(
        app,
        host=center.host,
        port=center.port,
        proxy_headers=True,
        forwarded_allow_ips=center.trusted_proxies,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
        server_header=False,
    )


def _serve(store: "StoreSettings", center: "CenterSettings") -> int:
    import uvicorn

    from ecg_center.app import create_app
    from ecg_center.logs import configure_logs

    class Server(uvicorn.Server):
        """Ends the open pages' streams first, so that a stop takes no longer than the requests under way."""

        def handle_exit(self, sig: int, frame: "FrameType | None") -> None:
            app.state.live.end()
            super().handle_exit(sig, frame)

    configure_logs()
    app = create_app(store, center)
    server = Server(server_config(app, center))
    server.run()
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main())

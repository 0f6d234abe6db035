"""What stands in ``deploy/`` and the locks agrees with the code."""

import configparser
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ecg_center.contract.settings import SECTIONS, Section
from ecg_center.settings import CenterSettings
from ecg_center.store.settings import StoreSettings
from gateway.settings import GatewaySettings
from worker.settings import WorkerSettings

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "deploy" / "ecg-center.example.toml"
MODELS: dict[str, type[Section]] = {
    model.section: model for model in (StoreSettings, CenterSettings, WorkerSettings, GatewaySettings)
}
FREE_TABLES = {"gateway.devices", "gateway.printers"}
"""Tables whose keys are the user's own."""

COMMENTED_KEY = re.compile(r"^# (\w+ = .+)$", re.MULTILINE)


def with_every_key() -> dict[str, Any]:
    return tomllib.loads(COMMENTED_KEY.sub(r"\1", EXAMPLE.read_text("utf-8")))


def keys(table: dict[str, Any], path: str) -> set[str]:
    found = set()
    for key, value in table.items():
        name = f"{path}.{key}"
        nested = isinstance(value, dict) and name not in FREE_TABLES
        found |= keys(value, name) if nested else {name}
    return found


def fields(model: type[BaseModel], path: str) -> set[str]:
    found = set()
    for key, info in model.model_fields.items():
        nested = isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
        found |= fields(info.annotation, f"{path}.{key}") if nested else {f"{path}.{key}"}
    return found


def value_of(instance: BaseModel, path: str) -> Any:
    value: Any = instance
    for key in path.split(".")[1:]:
        value = getattr(value, key)
    return value


@pytest.mark.parametrize("section", MODELS)
def test_the_example_has_every_key_and_no_other(section: str) -> None:
    assert keys(with_every_key()[section], section) == fields(MODELS[section], section)


def test_every_section_of_the_example_is_known() -> None:
    assert set(with_every_key()) <= set(SECTIONS)
    assert set(with_every_key()) == set(MODELS)


@pytest.mark.parametrize("section", MODELS)
def test_the_example_loads_as_it_stands_and_with_every_key(section: str, tmp_path: Path) -> None:
    MODELS[section].load(EXAMPLE)
    full = tmp_path / "full.toml"
    full.write_text(COMMENTED_KEY.sub(r"\1", EXAMPLE.read_text("utf-8")), "utf-8")
    MODELS[section].load(full)


@pytest.mark.parametrize("section", MODELS)
def test_a_commented_key_shows_its_default(section: str) -> None:
    """Except where the default is None: there the example shows what a value looks like."""
    given = tomllib.loads(EXAMPLE.read_text("utf-8")).get(section, {})
    defaults = MODELS[section].load(EXAMPLE)
    everything = with_every_key()[section]
    for path in keys(everything, section) - keys(given, section):
        shown: Any = {section: everything}
        for key in path.split("."):
            shown = shown[key]
        default = value_of(defaults, path)
        if default is not None:
            assert shown == (str(default) if isinstance(default, Path) else default), path


@pytest.mark.parametrize("unit", sorted(path.name for path in (ROOT / "deploy" / "systemd").iterdir()))
def test_units_always_restart_and_call_commands_that_exist(unit: str) -> None:
    text = (ROOT / "deploy" / "systemd" / unit).read_text("utf-8")
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    assert parser["Service"]["Restart"] == "always"
    assert parser["Unit"]["StartLimitIntervalSec"] == "0"  # never give up
    program = Path(parser["Service"]["ExecStart"].split()[0])
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert program.name in scripts


def test_no_lock_carries_an_address() -> None:
    for path in [*(ROOT / "requirements").glob("*.txt"), ROOT / "package-lock.json"]:
        text = path.read_text("utf-8")
        assert "://" not in text, path
        assert '"resolved"' not in text, path
        assert "--index" not in text, path


def test_every_locked_package_has_hashes() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=\S)", path.read_text("utf-8").strip())
        assert entries, path
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == [], path


def test_the_locks_name_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = {
        "build.txt": project["build-system"]["requires"] + project["dependency-groups"]["build"],
        "runtime.txt": project["project"]["dependencies"],
        "dev.txt": project["project"]["dependencies"] + project["dependency-groups"]["dev"],
    }
    for file, requirements in asked.items():
        locked = {
            line.split("==")[0].lower()
            for line in (ROOT / "requirements" / file).read_text("utf-8").splitlines()
            if "==" in line
        }
        wanted = {re.split(r"[\[<>=~! ]", name)[0].lower() for name in requirements}
        assert wanted <= locked, f"{file} is older than pyproject.toml: run make lock"
    assert project["build-system"]["requires"] == project["dependency-groups"]["build"]


def test_make_help_lists_every_target() -> None:
    answer = subprocess.run(["make", "-C", str(ROOT), "-s"], capture_output=True, text=True, check=True).stdout
    targets = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert targets is not None
    for target in targets[1].split():
        assert re.search(rf"^  {target} +\S", answer, re.MULTILINE), target

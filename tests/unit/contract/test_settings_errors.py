"""A wrong setting is named by its key, its environment variable and what it should be."""

from pathlib import Path

import pytest

from ecg_center.contract.settings import SettingsError, settings_file
from ecg_center.settings import CenterSettings
from ecg_center.store.settings import StoreSettings

GOOD = """
[store]
database_url = "postgresql://app:secret@127.0.0.1/ecg"
[center]
signing_passphrase = "sixteen characters"
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Path:
    file = Path("settings.toml")
    file.write_text(text, "utf-8")
    return file


def refused(section: type, text: str) -> str:
    with pytest.raises(SettingsError) as error:
        section.load(written(text))
    return str(error.value)


def test_a_good_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(GOOD)
    assert StoreSettings.load(file).database_url == "postgresql+psycopg://app:secret@127.0.0.1/ecg"
    assert CenterSettings.load(file).port == 8080
    monkeypatch.setenv("ECG_CENTER_PORT", "9000")
    monkeypatch.setenv("ECG_DATABASE_URL", "postgres://other/ecg")
    assert CenterSettings.load(file).port == 9000
    assert StoreSettings.load(file).database_url == "postgresql+psycopg://other/ecg"


def test_the_file_is_found_by_argument_then_variable_then_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_file(None) is None
    Path("ecg-center.toml").write_text(GOOD)
    assert settings_file(None) == Path("ecg-center.toml")
    named = Path("named.toml")
    monkeypatch.setenv("ECG_CONFIG", str(named))
    with pytest.raises(SettingsError, match=r"named\.toml does not exist.*--config or ECG_CONFIG"):
        settings_file(None)
    named.write_text(GOOD)
    assert settings_file(None) == named
    assert settings_file(Path("ecg-center.toml")) == Path("ecg-center.toml")


def test_a_missing_key_is_named_with_its_variable() -> None:
    said = refused(StoreSettings, "[store]\n")
    assert "[store] in settings.toml" in said
    assert "database_url (environment ECG_DATABASE_URL)" in said
    said = refused(CenterSettings, "[center]\n")
    assert "signing_passphrase (environment ECG_CENTER_SIGNING_PASSPHRASE)" in said


@pytest.mark.parametrize(
    ("line", "key", "why"),
    [
        ("port = 0", "port (environment ECG_CENTER_PORT)", "greater than or equal to 1"),
        ('port = "x"', "port (environment ECG_CENTER_PORT)", "integer"),
        ('public_url = "ecg.example"', "public_url (environment ECG_CENTER_PUBLIC_URL)", "http:// or https://"),
        ("job_concurrency = 99", "job_concurrency (environment ECG_CENTER_JOB_CONCURRENCY)", "32"),
        ("prot = 80", "prot", "not permitted"),
    ],
)
def test_a_wrong_value_and_an_unknown_key_are_named(line: str, key: str, why: str) -> None:
    said = refused(CenterSettings, f'[center]\nsigning_passphrase = "sixteen characters"\n{line}\n')
    assert key in said
    assert why in said


def test_every_wrong_key_is_named_at_once_and_no_secret_is_told() -> None:
    said = refused(CenterSettings, '[center]\nsigning_passphrase = "hunter2"\nport = 0\nwhat = 1\n')
    assert all(key in said for key in ("signing_passphrase", "port", "what"))
    assert "hunter2" not in said


def test_a_database_that_is_not_postgresql_is_refused() -> None:
    for url in ("sqlite:///ecg.db", "postgresql", "postgresql://", "mysql://u@h/d"):
        assert "database_url" in refused(StoreSettings, f'[store]\ndatabase_url = "{url}"\n')


def test_an_unknown_section_a_scalar_and_broken_toml_are_explained() -> None:
    assert "unknown section [centre]" in refused(CenterSettings, "[centre]\n")
    assert "known: store, center, gateway, worker, demo" in refused(CenterSettings, "[centre]\n")
    assert "[center] must be a table" in refused(CenterSettings, "center = 1\n")
    assert "not valid TOML" in refused(CenterSettings, "[center\n")
    Path("settings.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not valid TOML"):
        CenterSettings.load(Path("settings.toml"))


@pytest.mark.parametrize("section", [StoreSettings, CenterSettings])
def test_every_setting_says_what_it_means(section: type) -> None:
    for name, field in section.model_fields.items():
        assert field.description, name

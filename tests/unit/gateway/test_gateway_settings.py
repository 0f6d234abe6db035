"""Settings: every key named and explained, wrong ones refused with words that help."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_center.contract.settings import SettingsError
from ecg_center.contract.upload import Problem
from gateway.retry import BROKER, MAX_RETRY_AFTER_S, PRINTER, ROUTINE, URGENT, delay_s, is_final
from gateway.settings import DicomSettings, GatewaySettings, MqttSettings

GOOD = 'centre_url = "https://ecg.example"\ntoken = "a-long-secret"\n'


def load(folder: Path, text: str) -> GatewaySettings:
    file = folder / "ecg-center.toml"
    file.write_text(f"[gateway]\n{text}", "utf-8")
    return GatewaySettings.load(file)


def test_every_setting_is_documented() -> None:
    for model in (GatewaySettings, DicomSettings, MqttSettings):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


def test_tables_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECG_GATEWAY_MQTT__PASSWORD", "from the environment")
    said = load(
        tmp_path,
        GOOD
        + '[gateway.devices]\nREC1 = "C01"\n"4G 7号" = "C02"\n'
        + '[gateway.printers]\nC01 = "ipp://10.0.0.5/ipp/print"\n'
        + '[gateway.mqtt]\nenabled = true\nurl = "mqtts://broker:8883"\npassword = "from the file"\n',
    )
    assert said.institution_of("REC1 ") == "C01"
    assert said.institution_of("4G 7号") == "C02"
    assert said.institution_of("REC9") is None
    assert said.mqtt.password is not None
    assert said.mqtt.password.get_secret_value() == "from the environment"
    assert "a-long-secret" not in repr(said)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "centre_url"),
        ('centre_url = "https://ecg.example"', "token"),
        (GOOD + "spol = 1", "spol"),
        (GOOD.replace("https", "http"), "allow_plain_http"),
        (GOOD.replace("https", "ftp"), "centre_url"),
        (GOOD.replace("a-long-secret", "short"), "token"),
        (GOOD + 'timezone = "Mars/Olympus"', "timezone"),
        (GOOD + '[gateway.devices]\nREC1 = "C/1"', "devices"),
        (GOOD + '[gateway.printers]\nC01 = "http://10.0.0.5"', "printers"),
        (GOOD + '[gateway.mqtt]\nurl = "mqtt://user:pass@host"', "mqtt.url"),
        (GOOD + '[gateway.mqtt]\nurl = "tcp://host"', "mqtt.url"),
        (GOOD + '[gateway.dicom]\nae_title = "MORE THAN SIXTEEN"', "dicom.ae_title"),
        (GOOD + "[gateway.dicom]\nport = 0", "dicom.port"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named.replace(".", r"\.")):
        load(tmp_path, text)


def test_plain_http_is_for_this_machine_or_on_purpose(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD.replace("https://ecg.example", "http://127.0.0.1:8000"))
    assert load(tmp_path, "allow_plain_http = true\n" + GOOD.replace("https", "http"))


@given(st.sampled_from([URGENT, ROUTINE, PRINTER, BROKER]), st.integers(1, 10_000), st.floats(0, 1))
def test_a_wait_is_never_longer_than_its_cap_and_grows_to_it(backoff, failures: int, drawn: float) -> None:
    wait = delay_s(backoff, failures, drawn)
    assert 0 <= wait <= backoff.cap_s
    assert delay_s(backoff, failures, 1.0) <= delay_s(backoff, failures + 1, 1.0)
    assert delay_s(backoff, 64, 1.0) == backoff.cap_s


@given(st.floats(0, 1e9), st.floats(0, 1))
def test_a_servers_wish_is_heard_within_reason(wish: float, drawn: float) -> None:
    wait = delay_s(ROUTINE, 3, drawn, wish)
    assert min(wish, MAX_RETRY_AFTER_S) <= wait <= MAX_RETRY_AFTER_S + ROUTINE.cap_s


def problem(retry: bool) -> Problem:
    return Problem(type="x", title="x", detail="x", retry=retry)


@pytest.mark.parametrize(
    ("status", "said", "final"),
    [
        (403, problem(False), True),
        (422, problem(False), True),
        (403, problem(True), False),
        (403, None, False),  # a proxy, not the centre
        (401, problem(False), False),  # the token, not the recording
        (409, problem(False), False),
        (429, problem(False), False),
        (503, problem(False), False),
        (507, None, False),
    ],
)
def test_only_the_centres_own_word_is_final(status: int, said: Problem | None, final: bool) -> None:
    assert is_final(status, said) is final

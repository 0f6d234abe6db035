"""Whatever the order, the overlaps and the repeats: the file is exactly the file, and "safe" means that it is there."""

import hashlib
import itertools
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway.devices.partial as partial_module
from ecg_center.contract.upload import RecordingIdentity
from gateway.devices.grammar import Address, Fin, GrammarError, Init, Segment, parse_part, parse_topic
from gateway.devices.partial import PartialStore, PartialUpload
from gateway.devices.segments import SegmentBuffer
from gateway.settings import GatewaySettings, MqttSettings
from gateway.spool import Spool

DATA = bytes(range(256)) * 4
SHA = hashlib.sha256(DATA).hexdigest()
INIT = Init(size=len(DATA), sha256=SHA, name="a.dcm")
FIN = Fin(size=len(DATA), sha256=SHA)
ADDRESS = Address("C01", "4G-1", "u1")


def store_in(folder: Path, **mqtt) -> PartialStore:
    ours = MqttSettings(**mqtt)
    known = GatewaySettings(
        centre_url="http://127.0.0.1:9",
        token="unused-here",
        spool=folder,
        reserve_bytes=0,
        mqtt=ours,
        max_file_bytes=10**6,
    )
    spool = Spool(folder, known)
    spool.open()
    store = PartialStore(spool, ours)
    store.open()
    return store


def upload(store: PartialStore, address: Address = ADDRESS) -> PartialUpload:
    return PartialUpload(store, address, address.clinic)


@st.composite
def segmentations(draw) -> list[tuple[int, int]]:
    """Cuts of the file into segments, some twice, some overlapping, in any order."""
    cuts = sorted(draw(st.sets(st.integers(1, len(DATA) - 1), max_size=12)))
    edges = [0, *cuts, len(DATA)]
    pieces = list(itertools.pairwise(edges))
    start = st.integers(0, len(DATA) - 1)
    extra = draw(st.lists(st.tuples(start, st.integers(1, 300)), max_size=5))
    pieces += [(at, min(len(DATA), at + length)) for at, length in extra]
    return draw(st.permutations(pieces))


@given(segmentations())
def test_the_buffer_gives_the_file_once_in_order(pieces: list[tuple[int, int]]) -> None:
    buffer, out = SegmentBuffer(len(DATA), limit=10**6), b""
    for start, end in pieces:
        out += buffer.add(start, DATA[start:end])
        assert buffer.next_offset == len(out)
    assert out == DATA
    assert buffer.complete
    assert not buffer.gap


@given(segmentations(), st.integers(0, 400))
def test_the_buffer_never_holds_more_than_its_limit(pieces: list[tuple[int, int]], limit: int) -> None:
    buffer, out = SegmentBuffer(len(DATA), limit=limit), b""
    for start, end in pieces:
        out += buffer.add(start, DATA[start:end])
        assert sum(map(len, buffer._early.values())) == buffer._early_bytes <= limit
        assert DATA.startswith(out)


def test_a_segment_beyond_the_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="beyond"):
        SegmentBuffer(10, 100).add(8, b"abc")


@settings(max_examples=60, deadline=None)
@given(segmentations(), st.integers(0, 30), st.sets(st.integers(0, 30), max_size=4), st.data())
def test_any_order_any_batches_any_restarts_end_in_one_safe_file(pieces, fin_at, restarts, data) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = store_in(Path(name))
        one = upload(store)
        messages = [Segment(start, DATA[start:end]) for start, end in pieces]
        messages.insert(min(fin_at, len(messages)), FIN)
        assert one.apply([INIT]).offset == 0
        ack, at, batch = None, 0, 0
        while messages[at:]:
            size = data.draw(st.integers(1, 4))
            heard = one.apply(messages[at : at + size])
            ack = heard or ack
            at, batch = at + size, batch + 1
            if batch in restarts and (ack is None or ack.state != "safe"):  # what waited in memory is lost
                one.close()
                one = upload(store)
        rounds = 0
        while ack is None or ack.state != "safe":  # the device asks, and goes on from the offset that it is told
            ack = one.apply([INIT])
            if ack.state == "receiving":
                ack = one.apply([Segment(ack.offset, DATA[ack.offset :]), FIN] if ack.offset < len(DATA) else [FIN])
            rounds += 1
            assert rounds < 4
        (item,) = store.spool.items("waiting")
        assert item.recording.read_bytes() == DATA
        assert not list(store.root.iterdir())
        store.spool.close()


def test_the_offset_told_is_on_the_disk(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = upload(store)
    one.apply([INIT])
    ack = one.apply([Segment(0, DATA[:300]), Segment(600, DATA[600:])])
    assert (ack.state, ack.offset, ack.resend) == ("receiving", 300, True)
    assert upload(store).apply([INIT]).offset == 300  # as after a kill: what waited out of order is sent again


def test_an_offset_is_told_after_its_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    one = upload(store_in(tmp_path))
    one.apply([INIT])
    monkeypatch.setattr(os, "fsync", noted)
    assert one.apply([Segment(0, DATA[:100]), Segment(100, DATA[100:300])]).offset == 300
    assert synced == [300], "once for the batch, with all of its bytes"
    one.close()
    again = upload(one._store)
    assert again.apply([INIT]).offset == 300
    assert synced[1] == 300, "what an earlier process wrote is made durable before it is counted"


def test_a_gap_is_told_at_most_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = upload(store_in(tmp_path))
    one.apply([INIT])
    assert one.apply([Segment(600, DATA[600:700])]).resend
    assert one.apply([Segment(700, DATA[700:])]) is None
    later = time.monotonic() + 2
    monkeypatch.setattr(partial_module.time, "monotonic", lambda: later)
    assert one.apply([FIN]).resend


def test_a_wrong_checksum_starts_over_and_leaves_nothing(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = upload(store)
    one.apply([INIT])
    ack = one.apply([Segment(0, DATA[:-1] + b"!"), FIN])
    assert (ack.state, ack.reason, ack.retry) == ("error", "checksum", True)
    assert not list(store.root.iterdir())
    assert one.apply([INIT]).offset == 0
    assert one.apply([Segment(0, DATA), FIN]).state == "safe"


def test_a_lost_answer_is_given_again_whatever_is_asked(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = upload(store)
    assert one.apply([INIT, Segment(0, DATA), FIN]).state == "safe"
    for again in (one, upload(store), upload(store, Address("C01", "4G-1", "another-id"))):
        assert again.apply([INIT]).state == "safe"
        assert again.apply([FIN]).state == "safe"
    assert len(store.spool.items("waiting")) == 1


def test_an_id_used_for_another_file_starts_over(tmp_path: Path) -> None:
    one = upload(store_in(tmp_path))
    one.apply([INIT, Segment(0, DATA[:100])])
    other = b"another recording"
    fresh = Init(size=len(other), sha256=hashlib.sha256(other).hexdigest())
    assert one.apply([fresh]).offset == 0
    assert one.apply([Segment(0, other), Fin(size=fresh.size, sha256=fresh.sha256)]).state == "safe"


def test_a_chest_pain_button_pressed_during_the_upload_counts(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = upload(store)
    one.apply([INIT, Segment(0, DATA[:100])])
    pain = INIT.model_copy(update={"identity": RecordingIdentity(chest_pain=True)})
    assert one.apply([pain]).offset == 100
    assert one.apply([Segment(100, DATA[100:]), FIN]).state == "safe"
    assert store.spool.items("waiting")[0].urgent


def test_a_chest_pain_button_pressed_after_safe_needs_no_bytes(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    one = upload(store)
    assert one.apply([INIT, Segment(0, DATA), FIN]).state == "safe"
    pain = INIT.model_copy(update={"identity": RecordingIdentity(chest_pain=True)})
    assert one.apply([pain]).state == "safe"
    (item,) = store.spool.items("waiting")
    assert item.urgent
    assert item.recording.read_bytes() == DATA


def test_the_limits_are_told(tmp_path: Path) -> None:
    store = store_in(tmp_path, max_uploads_per_device=2)
    assert upload(store).apply([Segment(0, b"x")]).reason == "no-upload"
    assert upload(store).apply([FIN]).reason == "no-upload"
    assert upload(store).apply([INIT.model_copy(update={"size": 10**6 + 1})]).reason == "too-large"
    for number in range(2):
        assert upload(store, Address("C01", "4G-1", f"id{number}")).apply([INIT]).state == "receiving"
    refused = upload(store, Address("C01", "4G-1", "id3")).apply([INIT])
    assert (refused.reason, refused.retry) == ("too-many", True)
    assert upload(store, Address("C01", "4G-2", "id3")).apply([INIT]).state == "receiving"
    assert upload(store, Address("C01", "4G-1", "id0")).apply([INIT]).state == "receiving"
    assert PartialStore(store.spool, store.settings).open() == 3


def test_a_full_disk_is_told_and_what_is_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_in(tmp_path)
    one = upload(store)
    one.apply([INIT, Segment(0, DATA[:100])])
    monkeypatch.setattr(partial_module, "free_bytes", lambda _: 0)
    ack = one.apply([Segment(100, DATA[100:])])
    assert (ack.state, ack.reason, ack.retry, ack.retry_after_s) == ("error", "disk-full", True, 60)
    monkeypatch.undo()
    assert one.apply([INIT]).offset == 100
    assert one.apply([Segment(100, DATA[100:]), FIN]).state == "safe"


def test_an_upload_that_nobody_continues_is_dropped(tmp_path: Path) -> None:
    store = store_in(tmp_path, idle_hours=1)
    upload(store).apply([INIT, Segment(0, DATA[:100])])
    assert store.expire(time.time() + 3000) == 0
    assert store.expire(time.time() + 4000) == 1
    assert upload(store).apply([INIT]).offset == 0


def test_leftovers_that_are_no_upload_are_removed(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    (store.root / "junk").mkdir()
    assert store.open() == 0
    assert not (store.root / "junk").exists()


@pytest.mark.parametrize(
    "topic",
    [
        "ecg/v1/C01/d/file/id/begin",
        "ecg/v1/C01/d/file/id/-1",
        "ecg/v1/C01/d/file/a/b/init",
        "ecg/v2/C01/d/file/id/init",
        "ecg/v1/" + "C" * 17 + "/d/file/id/init",
        "ecg/v1/C01//file/id/init",
    ],
)
def test_other_topics_are_not_of_the_grammar(topic: str) -> None:
    with pytest.raises(GrammarError):
        parse_topic(topic)


def test_topics_and_messages_of_the_grammar() -> None:
    address, last = parse_topic("ecg/v1/C01/4G 7号/file/a-1/16384")
    assert (address.clinic, address.device, address.upload_id, last) == ("C01", "4G 7号", "a-1", "16384")
    assert address.ack_topic == "ecg/v1/C01/4G 7号/ack/a-1"
    assert parse_part("16384", b"bytes") == Segment(16384, b"bytes")
    said = parse_part("init", b'{"size": 3, "sha256": "' + b"a" * 64 + b'", "new_field": 1}')
    assert isinstance(said, Init)
    with pytest.raises(GrammarError, match="size"):
        parse_part("init", b'{"size": 0, "sha256": "' + b"a" * 64 + b'"}')
    with pytest.raises(GrammarError):
        parse_part("fin", b"\xff")


def test_a_wrong_identity_costs_no_recording() -> None:
    said = parse_part(
        "init",
        b'{"size": 3, "sha256": "'
        + b"a" * 64
        + b'", "identity": {"sex": "?", "patient_id": "7", "birth_date": "1.1.70"}}',
    )
    assert isinstance(said, Init)
    assert said.identity == RecordingIdentity(patient_id="7")

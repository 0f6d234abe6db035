import pickle

from worker.formats.errors import MAX_MESSAGE, DamagedRecording


def test_a_message_is_no_longer_than_a_person_reads():
    error = DamagedRecording("the file says " + "x" * 100_000)
    assert len(str(error)) == MAX_MESSAGE
    assert str(error).startswith("the file says xxx")
    assert str(DamagedRecording("short")) == "short"


def test_errors_go_from_one_process_to_another():
    assert str(pickle.loads(pickle.dumps(DamagedRecording("the file is cut")))) == "the file is cut"

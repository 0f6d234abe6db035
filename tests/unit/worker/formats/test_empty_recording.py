"""A file without one sample is no recording: it is refused by name, so that it is set aside and a person looks."""

from pathlib import Path

import pytest

from worker.formats import read
from worker.formats.errors import DamagedRecording

CORPUS = Path(__file__).parents[3] / "corpus" / "formats"


def test_dicom_with_no_samples_is_refused() -> None:
    with pytest.raises(DamagedRecording, match="not one sample"):
        read((CORPUS / "dicom" / "bb0c179dc4cd8f3f").read_bytes())

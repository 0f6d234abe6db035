"""Is every module of a page asked for with the page, so that no import is found only after another has come?"""

import re
from pathlib import PurePosixPath

import pytest

from ecg_center.web.static_files import STATIC_FOLDER, modules_of, static_url


@pytest.mark.parametrize("entry", ["js/page.js", "js/viewer/viewer.js", "js/desk.js", "js/holter/element.js"])
def test_what_a_module_imports_is_named_with_it(entry: str) -> None:
    named = modules_of(entry)
    assert named[0] == static_url(entry)
    assert len(set(named)) == len(named)
    root = static_url(entry).removesuffix(entry)
    for address in named:
        path = PurePosixPath(address.removeprefix(root))
        text = (STATIC_FOLDER / path).read_text("utf-8")
        for imported in re.findall(r"""^(?:import|\} from|import .* from) ["'](\S+\.js)["'];""", text, re.MULTILINE):
            assert any(other.endswith("/" + imported.rsplit("/", 1)[-1]) for other in named), (address, imported)


def test_a_module_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        modules_of("js/none.js")

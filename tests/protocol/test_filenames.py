"""Names of files from the network: always the name of one harmless file, on every system."""

import ntpath
import sys
from pathlib import PurePosixPath, PureWindowsPath

from hypothesis import given
from hypothesis import strategies as st

from lanchat.protocol.filenames import MAX_FILENAME, safe_name
from tests.support.cases import cases
from tests.support.filenames import HOSTILE


@cases("sent", HOSTILE)
def test_a_hostile_name_becomes_a_harmless_one(sent):
    assert safe_name(sent) == HOSTILE[sent]


def is_reserved(name: str) -> bool:
    """Whether Windows keeps this name for a device. Python 3.13 has another function for that."""
    if sys.version_info >= (3, 13):
        return ntpath.isreserved(name)
    return PureWindowsPath(name).is_reserved()


def test_a_long_name_keeps_its_ending():
    name = safe_name("ü" * 300 + ".tar.pdf")
    assert name.endswith(".pdf") and len(name.encode()) <= MAX_FILENAME


@given(st.one_of(st.text(max_size=300), st.text(alphabet="./\\:~- _aCONM1<>\u0301\u202e\ud800\n\t.lnk", max_size=300)))
def test_any_name_becomes_one_component_and_stays_so(sent):
    name = safe_name(sent)
    assert 0 < len(name.encode()) <= MAX_FILENAME
    assert name[0] not in ".-~ " and name[-1] not in ". "
    assert PurePosixPath(name).name == PureWindowsPath(name).name == name
    assert not is_reserved(name)
    assert safe_name(name) == name

"""What a person has typed comes back."""

import os

from lanchat.storage.input_history import MAX_FILE, MAX_LINES, InputHistory


def test_what_was_typed_comes_back_tomorrow(tmp_path):
    history = InputHistory(tmp_path / "typed")
    for line in ("hello", "two\nlines", '/msg bob "ü" \\', "hello"):
        history.add(line)
    assert InputHistory(tmp_path / "typed").lines == ["hello", "two\nlines", '/msg bob "ü" \\', "hello"]
    assert os.stat(tmp_path / "typed").st_mode & 0o077 == 0


def test_two_programs_add_to_one_file(tmp_path):
    one, two = InputHistory(tmp_path / "typed"), InputHistory(tmp_path / "typed")
    one.add("a")
    two.add("b")
    one.add("c")
    assert InputHistory(tmp_path / "typed").lines == ["a", "b", "c"]


def test_the_file_does_not_grow_for_ever(tmp_path):
    path = tmp_path / "typed"
    history = InputHistory(path)
    for number in range(MAX_LINES + 100):
        history.add(f"{number} " + "x" * 1000)
    again = InputHistory(path)
    assert again.lines[-1].startswith(f"{MAX_LINES + 99} ")
    assert path.stat().st_size <= MAX_FILE
    assert InputHistory(path).lines == again.lines


def test_damage_and_a_folder_that_is_gone_are_no_errors(tmp_path):
    path = tmp_path / "typed"
    path.write_bytes(b'"good"\n\xff\x00\n{"a": 1}\n"half')
    assert InputHistory(path).lines == ["good"]
    gone = InputHistory(tmp_path / "nowhere" / "typed")
    gone.add("said all the same")
    assert gone.lines == ["said all the same"]
    InputHistory(None).add("and forgotten")

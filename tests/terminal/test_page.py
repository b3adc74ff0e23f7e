"""A page of help in a window that is narrower than its lines."""

import pytest

from lanchat.cli.help import pages
from lanchat.terminal.page import fitted

PAGE = """\
# In a room

`/help` lists the commands of a room,
and Tab completes them.

| command | what it does |
|---|---|
| `/who` | shows who is in the room, page by page |

    $ lanchat host "Room A" --nick ann --password auto
    -- an example stays as it is

* The first item goes on
  in a second line.
* The second.

```python
for event in room:  # this is code as well
    print(event)
```
The end.
"""


def test_prose_is_broken_between_words_and_examples_stay_as_they_are():
    assert (
        fitted(PAGE, 31)
        == """\
# In a room

`/help` lists the commands of
a room, and Tab completes
them.

| command | what it does |
|---|---|
| `/who` | shows who is in the
    room, page by page

    $ lanchat host "Room A" --nick ann --password auto
    -- an example stays as it is

* The first item goes on in a
  second line.
* The second.

```python
for event in room:  # this is code as well
    print(event)
```
The end.
"""
    )


def test_a_page_that_fits_and_one_for_a_pipe_are_not_changed():
    assert fitted(PAGE, 200) == fitted(PAGE, 0) == PAGE


@pytest.mark.parametrize("topic", pages())
@pytest.mark.parametrize("columns", [50, 80])
def test_no_page_loses_a_word_or_breaks_one(topic, columns):
    page = pages()[topic].read_text(encoding="utf-8")
    words = [word for word in page.split() if word != "|"]
    assert [word for word in fitted(page, columns).split() if word != "|"] == words

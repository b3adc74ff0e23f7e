"""Files in the page: chosen or dropped, sent, shown, saved."""

import secrets
import struct
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import expect

from lanchat.protocol.sizes import size_text
from tests.browser.pages import Visitor, cut
from tests.support.waiting import PATIENCE, wait_until


def png() -> bytes:
    """A picture of one point."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    header = struct.pack("!2I5B", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(4))) + chunk(b"IEND", b"")


def choose(visitor, name: str, data: bytes) -> None:
    visitor.page.set_input_files("#chosen", {"name": name, "mimeType": "", "buffer": data})


def drop(visitor, name: str, data: bytes) -> None:
    moved = visitor.page.evaluate_handle(
        """([name, bytes]) => {
            const moved = new DataTransfer();
            moved.items.add(new File([new Uint8Array(bytes)], name));
            return moved;
        }""",
        [name, list(data)],
    )
    visitor.page.dispatch_event("#log", "drop", {"dataTransfer": moved})


def button(visitor, name: str):
    return visitor.page.get_by_role("button", name=name, exact=True)


def test_a_file_goes_from_page_to_page(room_with_files, visit):
    zoe, yan = visit(room_with_files, "zoe"), visit(room_with_files, "yan")
    data = secrets.token_bytes(30)
    choose(zoe, "notes.bin", data)
    zoe.composer.fill("a file")
    button(zoe, "Send").click()
    with yan.page.expect_download() as download:
        button(yan, "Save notes.bin").click()
    assert download.value.suggested_filename == "notes.bin"
    assert Path(download.value.path()).read_bytes() == data
    assert zoe.texts == yan.texts[:1] == ["a file"]


@pytest.mark.full
def test_a_picture_is_shown_to_who_asks_for_it(room_with_files, visit):
    zoe, yan = visit(room_with_files, "zoe"), visit(room_with_files, "yan")
    drop(zoe, "sun.png", png())
    drop(zoe, "page.png", b"<script>alert(1)</script>")
    zoe.composer.fill("two files")
    button(zoe, "Send").click()
    yan.reads("two files")
    expect(yan.page.get_by_role("img", name="sun.png")).to_have_count(0)  # nothing is fetched that nobody asked for
    button(yan, "Show sun.png").click()
    expect(yan.page.get_by_role("img", name="sun.png")).to_be_visible()
    button(yan, "Show page.png").click()
    yan.reads("page.png is not a picture.")
    expect(zoe.page.get_by_role("img", name="sun.png")).to_be_visible()
    zoe.say("/files")
    button(zoe, "Remove sun.png").click()
    expect(yan.page.locator("#lines .file", has_text="sun.png")).to_contain_text("was removed")


@pytest.mark.full
def test_a_room_without_files_offers_no_clip(room, visit):
    zoe = visit(room, "zoe")
    expect(zoe.page.locator("#clip")).to_be_hidden()
    drop(zoe, "notes.txt", b"hello")
    zoe.reads("This room takes no files.")


@pytest.mark.full
def test_a_file_for_one_person_is_sealed_in_the_page(room_with_files, enter, visit, tmp_path):
    ann, zoe = enter(room_with_files, "ann"), visit(room_with_files, "zoe")
    eve = visit(room_with_files, "eve")
    data = secrets.token_bytes(200_000)
    zoe.page.locator("#people-button").click()
    zoe.page.get_by_role("dialog").get_by_role("button", name="ann").click()
    button(zoe, "Private message").click()
    choose(zoe, "secret.bin", data)
    button(zoe, "Send").click()
    expect(button(zoe, "Save secret.bin")).to_be_visible()
    wait_until(lambda: any(file.name == "secret.bin" and file.sha256 for file in ann.files))
    assert ann.fetch("secret.bin", tmp_path / "ann").read_bytes() == data
    path = tmp_path / "answer.bin"
    path.write_bytes(data[:70_000])
    ann.send_file(path, to="zoe")
    with zoe.page.expect_download() as download:
        button(zoe, "Save answer.bin").click()
    assert Path(download.value.path()).read_bytes() == data[:70_000]
    stored = b"".join(file.read_bytes() for file in (tmp_path / "files").iterdir())
    assert data[:64] not in stored
    eve.say("/files")
    eve.reads("There are no files in this room.")


@pytest.mark.full
@pytest.mark.timeout(180)  # for the download alone there are 120 s
def test_a_transfer_goes_on_after_cut_links(room_with_files, visit):
    zoe, yan = visit(room_with_files, "zoe"), visit(room_with_files, "yan")
    data = secrets.token_bytes(20_000_000)
    choose(zoe, "long.bin", data)
    button(zoe, "Send").click()
    button(yan, "Save long.bin").click()  # while it is still coming in
    with yan.page.expect_download(timeout=4000 * PATIENCE) as download:
        for number in range(3):
            zoe.say(f"cut {number}")
            yan.sees(f"cut {number}")
            cut(room_with_files)
    assert Path(download.value.path()).read_bytes() == data
    expect(zoe.page.locator(".transfer")).to_have_count(0)


@pytest.mark.full
def test_a_list_that_was_wanted_without_a_connection_comes_with_the_next_one(room_with_files, visit):
    zoe = visit(room_with_files, "zoe")
    zoe.look_away()
    cut(room_with_files)
    zoe.reads("Reconnecting")
    zoe.say("/files")
    zoe.reads("Asking the host ...")
    zoe.look_back()
    zoe.reads("There are no files in this room.")


# A file for one person has come, and is being opened: what the page gets of it, if it is wanted on, or cancelled.
OPENED = """async (cancelled) => {
    const came = [];
    const files = new Files({ send() {} }, { changed() {}, note() {} });
    const empty = new Uint8Array(0);
    const file = files.learn({ file: "f", name: "a", size: 0, by: "x", nick: "x", at: 0 });
    file.offer = { key: new Uint8Array(32), sha256: hex(noble.sha256(empty)), size: 0 };
    files.fetch(file, (blob) => came.push(blob.size));
    file.fetching.progress.add(pieceCipher(file.offer.key, 0, 0).encrypt(empty), true);
    const opening = files.fetched(file, file.fetching);
    if (cancelled) files.stop(file);
    await opening;
    return came;
}"""


@pytest.mark.full
def test_what_is_cancelled_while_it_is_opened_is_not_saved(room, visit):
    zoe = visit(room)
    assert zoe.page.evaluate(OPENED, False) == [0]
    assert zoe.page.evaluate(OPENED, True) == []


@pytest.mark.full
def test_the_page_writes_a_size_as_programs_do(room, visit):
    sizes = [0, 1, 2, 999, 1000, 1023, 1024, 10_188, 10_189, 300_000, 999 << 10, 1023 << 10, 5 << 20, 400_000_000]
    sizes += [(1 << 30) - 1, 1 << 30, 9 << 40, 2**52]
    assert visit(room).page.evaluate("sizes => sizes.map(sizeText)", sizes) == [size_text(size) for size in sizes]


@pytest.mark.full
def test_over_https_the_browser_itself_saves_a_file_and_shows_nothing_of_it(room_with_files, chromium, enter, tmp_path):
    """Whatever is in it: a page of a stranger would run in the name of the room's page."""
    evil = tmp_path / "evil.html"
    evil.write_bytes(b"<script>document.title = 'gotcha'</script>" + bytes(300_000))
    enter(room_with_files, "ann").send_file(evil)
    context = chromium.new_context(ignore_https_errors=True)
    zoe = Visitor(context, f"https://room.test:{room_with_files.ports['web']}/")
    zoe.join("zoe")
    zoe.say("/files")
    files = zoe.page.get_by_role("dialog", name="Files of this room")
    with zoe.page.expect_download() as saved:
        files.get_by_role("button", name="Save evil.html").click()
    assert Path(saved.value.path()).read_bytes() == evil.read_bytes()
    assert saved.value.suggested_filename == "evil.html"
    assert "/f/" in saved.value.url and zoe.page.title() == "Room A" and len(context.pages) == 1
    context.close()
    assert zoe.problems == []

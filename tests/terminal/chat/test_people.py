"""The answers to /who and /verify."""

from dataclasses import replace

from lanchat.room.roster import Person
from lanchat.terminal.chat.people import verify_text, who_text


def test_who_lists_everyone_with_the_host_and_me():
    people = [Person("h", "Hal", host=True), Person("~7", "nc"), Person("a", "ann")]
    assert who_text(people, ("a", "ann")) == "3 people: ann·a (you), Hal·h (host), ~nc"
    assert who_text([Person("a", "ann", host=True)], ("a", "ann")) == "1 person: ann·a (you, host)"
    assert who_text([Person("b", "zoe", web=True)], ("a", "ann")) == "1 person: zoe·b (web)"
    program = Person("b", "bot", bot=True, away="\x1b[31mlunch")
    assert who_text([program], ("a", "ann")) == "1 person: bot·b (a program, away: \\x1b[31mlunch)"


def test_verify_shows_a_fingerprint_to_compare_or_that_there_is_none():
    bob = "ab" * 16
    assert verify_text(Person(bob, "bob"), bob, "h").startswith("Your fingerprint:  abab abab ")
    assert verify_text(Person("~7", "nc"), bob, "h").startswith("~nc is a guest without a key: identity not verified.")


def test_verify_says_whose_word_it_is():
    """The host's key was seen on the link; of all others the host tells us. Who hosts has seen every key."""
    bob = Person("ab" * 16, "bob")
    assert verify_text(bob, "a", bob.id).startswith("Fingerprint of bob, the host:  abab abab ")
    assert verify_text(bob, "a", "h").startswith("Fingerprint of bob, as the host says:  abab abab ")
    assert verify_text(bob, "h", "h").startswith("Fingerprint of bob:  abab abab ")


def test_verify_says_whether_private_messages_are_sealed():
    bob = Person("b" * 32, "bob", key=b"key")

    def last_line(person: Person, me: str = "a", host: str = "h") -> str:
        return verify_text(person, me, host).splitlines()[-1]

    assert last_line(bob) == "Private messages to bob are sealed to this key: the host cannot read them."
    assert last_line(bob, host=bob.id) == "Private messages to bob are sealed to this key.", "the host is their reader"
    assert last_line(bob, me="h") == "Private messages to bob are sealed to this key."
    nobody = "The host has not shown this key, so private messages to bob cannot be sealed."
    assert last_line(replace(bob, key=b"")) == nobody
    assert last_line(Person("~7", "nc")) == "Private messages to ~nc are not sealed: the host can read them."
    assert "sealed" not in verify_text(bob, bob.id, "h")

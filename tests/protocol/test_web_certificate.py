"""The certificate of the door for browsers."""

import datetime

from lanchat.protocol.web_certificate import RENEWED, VALID, certificate_print, is_good, make_certificate

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
PLACES = ["192.168.1.7", "fd00::2", "box.local"]
PEM = make_certificate(PLACES, NOW)


def test_it_is_good_for_the_places_that_it_was_made_for():
    assert is_good(PEM, PLACES, NOW) and is_good(PEM, PLACES[:1], NOW)
    assert not is_good(PEM, [*PLACES, "192.168.1.8"], NOW)


def test_it_is_made_anew_before_its_end():
    assert is_good(PEM, PLACES, NOW + VALID - RENEWED - datetime.timedelta(hours=1))
    assert not is_good(PEM, PLACES, NOW + VALID - RENEWED)


def test_what_is_none_is_not_good():
    other = make_certificate(PLACES, NOW)
    key, certificate = PEM.split(b"-----BEGIN CERTIFICATE", 1)
    swapped = key + b"-----BEGIN CERTIFICATE" + other.split(b"-----BEGIN CERTIFICATE", 1)[1]
    for pem in (b"", b"nonsense", key, b"-----BEGIN CERTIFICATE" + certificate, swapped, PEM[:-40]):
        assert not is_good(pem, PLACES, NOW)


def test_its_fingerprint_is_that_which_browsers_show():
    assert len(certificate_print(PEM)) == 64 and certificate_print(PEM) == certificate_print(PEM).upper()

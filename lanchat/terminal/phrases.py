"""Sentences with their capitals, and small pieces: numbers with what they count, days and moments. Pure."""

from datetime import date, datetime

_MONTHS = "January February March April May June July August September October November December".split()


def sentence(text: str) -> str:
    """The text with a capital at its beginning and a full stop at its end. `mDNS` and `report.pdf` stay as they are."""
    text = text.strip()
    first = text.split(" ", 1)[0].rstrip(",:")
    begun = text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
    return begun + ("" if text.endswith((".", "!", "?", "…", ":")) else ".")


def counted(number: int, one: str, many: str = "") -> str:
    """`1 message`, `2 messages`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment_text(moment: datetime, today: date) -> str:
    """A moment in the past as people say it: `17:02`, `Wednesday 17:02`, `2026-11-20 17:02`."""
    days = (today - moment.date()).days
    return f"{moment:%H:%M}" if not days else f"{moment:%A %H:%M}" if 0 < days < 7 else f"{moment:%Y-%m-%d %H:%M}"


def date_text(day: date) -> str:
    """A day in full: `Thursday, 26 November 2026`."""
    weekdays = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
    return f"{weekdays.split()[day.weekday()]}, {day_text(day)} {day.year}"


def day_text(day: date) -> str:
    """`26 November`, in English whatever the language of the system is."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def people_text(number: int) -> str:
    return counted(number, "person", "people")

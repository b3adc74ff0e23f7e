"""Draws the figures of one run as a chart of bars, an SVG file: the share of the raw limit of each server. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

_WIDTH, _LEFT, _RIGHT = 760, 190, 70  # px of the chart, of the names, of the figures
_BAR, _GAP, _HEAD, _TOP, _EDGE = 14, 4, 34, 46, 12  # px
_TEXT = "#7d8590"  # as easy to read on white as on black, so the chart needs no ground of its own
_OURS, _OTHERS = "#3b82d0", "#9aa4ae"


@dataclass(frozen=True)
class Bar:
    name: str
    ratio: float  # to the raw limit of the same run


@dataclass(frozen=True)
class Group:
    """Bars that are compared with each other, the best first."""

    title: str
    bars: tuple[Bar, ...]


def groups_of(figures: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Group]:
    """What a run has measured beside the raw limit: deliveries of each size of a room, and joins.

    Args:
        figures: the rows of each section, as --json prints them.
    """
    found: dict[str, list[Bar]] = {}
    for row in figures.get("fanout", ()):
        if row["to_limit"] is not None and not row["server"].startswith("raw limit"):
            kind = "TLS" if row["tls"] else "plain"
            title = f"{row['members']} members, {_talking(row['senders'])}, {kind}"
            found.setdefault(title, []).append(Bar(_name(row["server"]), row["to_limit"]))
    joins = figures.get("joins", ())
    limits = {row["members"]: row["joins_per_s"] for row in joins if row["server"].startswith("raw limit")}
    for row in joins:
        if row["members"] in limits and not row["server"].startswith("raw limit"):
            title = f"{row['members']} members who join, TLS"
            found.setdefault(title, []).append(Bar(_name(row["server"]), row["joins_per_s"] / limits[row["members"]]))
    return [Group(title, tuple(sorted(bars, key=lambda bar: -bar.ratio))) for title, bars in found.items()]


def chart(title: str, groups: Sequence[Group]) -> str:
    """The chart, as the text of an SVG file. A line stands where a server is as fast as the raw limit."""
    scale = (_WIDTH - _LEFT - _RIGHT) / max([1.0, *(bar.ratio for group in groups for bar in group.bars)])
    rows: list[str] = []
    y = _TOP
    for group in groups:
        y += _HEAD
        rows.append(_text(_EDGE, y - 8, group.title, 'font-weight="600"'))
        for bar in group.bars:
            colour = _OURS if bar.name.startswith("lanchat") else _OTHERS
            rows += [
                _text(_LEFT - 8, y + _BAR - 3, bar.name, 'text-anchor="end"'),
                f'<rect x="{_LEFT}" y="{y}" width="{bar.ratio * scale:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>',
                _text(_WIDTH - _EDGE, y + _BAR - 3, f"{bar.ratio:.2f}x", 'text-anchor="end"'),
            ]
            y += _BAR + _GAP
    height, limit = y + _EDGE, _LEFT + scale
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"'
            f' font-family="system-ui, sans-serif" font-size="12" fill="{_TEXT}">',
            f"<title>{escape(title)}</title>",
            _text(_EDGE, 22, title, 'font-size="14" font-weight="600"'),
            _text(limit, _TOP - 4, "raw limit", 'text-anchor="middle"'),
            f'<path d="M{limit:.1f} {_TOP + 2}V{height - _EDGE}" stroke="{_TEXT}" stroke-dasharray="3 3"/>',
            *rows,
            "</svg>\n",
        ]
    )


def _text(x: float, y: float, text: str, look: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{" " * bool(look)}{look}>{escape(text)}</text>'


def _talking(senders: int) -> str:
    return "1 talks" if senders == 1 else f"{senders} talk"


def _name(server: str) -> str:
    """The name of a server without what the title of its group says already."""
    name = server.removesuffix(", TLS")
    return {"naive": "naive Python", "lanchat, plain door": "lanchat"}.get(name, name)

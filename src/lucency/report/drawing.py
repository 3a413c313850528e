"""A few strokes of SVG: scales, ticks, lines and words; colours are classes of figure.css, so that dark mode works."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

Point = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """A linear way from values to pixels."""

    low: float
    high: float
    start: float
    """Pixel of `low`."""
    end: float
    """Pixel of `high`."""

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, n_wanted: int = 5) -> list[float]:
    """Return round values between two bounds, steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / n_wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def tick_label(value: float) -> str:
    """Write a tick with no more digits than it needs."""
    return f"{value:g}".replace("-", "−")


def clip(name: str, n_letters: int) -> str:
    """Shorten a name to what there is room for."""
    return name if len(name) <= n_letters else name[: n_letters - 1] + "…"


def text(x: float, y: float, words: str, style: str = "", anchor: str = "start") -> str:
    """Write words at a point."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(words)}</text>'


def line(start: Point, end: Point, style: str) -> str:
    """Draw a straight line."""
    return f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" class="{style}"/>'


def rectangle(x: float, y: float, width: float, height: float, style: str, opacity: float | None = None) -> str:
    """Draw a rectangle; `opacity` of its filling goes from 0 to 1."""
    fill = "" if opacity is None else f' fill-opacity="{opacity:.3f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{style}"{fill}/>'


def circle(centre: Point, radius: float, style: str) -> str:
    """Draw a dot or a ring."""
    return f'<circle cx="{centre[0]:.1f}" cy="{centre[1]:.1f}" r="{radius:.1f}" class="{style}"/>'


def path(points: Sequence[Point], style: str, *, closed: bool = False) -> str:
    """Draw a line through points."""
    steps = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<path d="M{steps}{"Z" if closed else ""}" class="{style}"/>'


def axes(x: Scale, y: Scale, x_ticks: Iterable[float], y_ticks: Iterable[float], x_title: str, y_title: str) -> str:
    """Draw a quiet grid with its numbers; the title of the vertical axis stands above it, where it reads."""
    parts = []
    for value in y_ticks:
        style = "axis" if value == y.low else "grid"
        parts.append(line((x.start, y(value)), (x.end, y(value)), style))
        parts.append(text(x.start - 8, y(value) + 4, tick_label(value), "tick", "end"))
    for value in x_ticks:
        parts.append(line((x(value), y.start), (x(value), y.start + 4), "axis"))
        parts.append(text(x(value), y.start + 18, tick_label(value), "tick", "middle"))
    parts.append(line((x.start, y.start), (x.end, y.start), "axis"))
    parts.append(text(x.end, y.start + 37, x_title, "label", "end"))
    parts.append(text(0, y.end - 14, y_title, "label"))
    return "".join(parts)


def drawing(width: float, height: float, description: str, strokes: Iterable[str]) -> str:
    """Make an inline SVG that a screen reader can name."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(description)}">{"".join(strokes)}</svg>'
    )


def standalone(svg: str) -> str:
    """Make an inline SVG into a file of its own, with its colours inside."""
    style = f"<style>{LIGHT_COLOURS}{figure_style()}</style>"
    head, body = svg.removeprefix("<svg").split(">", 1)
    return f'<svg xmlns="http://www.w3.org/2000/svg"{head}>{style}{body}\n'


def figure_style() -> str:
    """Return the style sheet of the figures."""
    return files("lucency.report").joinpath("figure.css").read_text("utf-8")


LIGHT_COLOURS = (
    "svg{--paper:#fff;--ink:#1c1d20;--soft:#5c6068;--faint:#dcdcd8;--c1:#0b66a3;--c2:#c2500c;--c3:#00795c;--c4:#9c4d85;"
    "--c5:#8a6a00;--c6:#4b55a5;--sans:Helvetica,Arial,sans-serif}"
)

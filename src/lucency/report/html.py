"""What every page of lucency is made with: templates that escape all text, one style, pictures inside the file."""

import base64
import struct
from importlib.resources import files

import jinja2
from markupsafe import Markup

from lucency.report.drawing import LIGHT_COLOURS, figure_style


def template(name: str) -> jinja2.Template:
    """Return a template of this folder; it escapes every text and refuses an undefined name."""
    environment = _environment(escapes=True)
    environment.globals |= {"source": data_uri, "size": size_of_png}
    return environment.get_template(name)


def plain_template(name: str) -> jinja2.Template:
    """Return a template of this folder for a text that is no page; what it shows has to be disarmed by itself."""
    return _environment(escapes=False).get_template(name)


def _environment(escapes: bool) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_own_file),
        autoescape=escapes,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def styles(*more: str) -> Markup:
    """Return the style of the report, and that of further style files of this folder."""
    colours = LIGHT_COLOURS.replace("svg{", ":root{", 1)
    return Markup(colours + "".join(map(_own_file, ("style.css", *more))) + figure_style())


def data_uri(png: bytes) -> str:
    """Write a picture as an address that holds the picture itself."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def size_of_png(png: bytes) -> tuple[int, int]:
    """Read width and height in pixels from the header of a PNG."""
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def _own_file(name: str) -> str:
    return files("lucency.report").joinpath(name).read_text("utf-8")

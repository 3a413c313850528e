"""Labels that are numbers: read from the cells of a table as people write them, and never guessed."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lucency.data.ground_truth.answers import MISSING
from lucency.data.ground_truth.tables import image_matcher, read_table, require_table, with_hashed_uids
from lucency.data.ground_truth.verdicts import Verdict, Verdicts
from lucency.data.naming import Naming
from lucency.domain.cohort import CohortRow
from lucency.domain.labels_plan import Labels
from lucency.errors import SourceError

NOT_A_NUMBER, NOT_FINITE, OTHER_UNIT, AMBIGUOUS = "E_NOT_A_NUMBER", "E_NOT_FINITE", "E_OTHER_UNIT", "E_COMMA_UNCLEAR"
COMMA, THOUSANDS, UNIT = "N_LABEL_COMMA", "N_LABEL_THOUSANDS", "N_LABEL_UNIT"

_UNIT = r"(?:[^\W\d_]|[%°])(?:[^\W\d_]|[%°23²³⁻¹/^·*])*"
_NUMBER = re.compile(rf"([-+−]?)([0-9][0-9.,' \u00a0\u2009\u202f]*|[.,][0-9]+)([eE][-+−]?[0-9]+)?\s*({_UNIT})?")
_SPACES = " \u00a0\u2009\u202f'"
_INFINITE = {"inf", "infinity", "∞", "-inf", "-infinity", "-∞", "+inf", "+infinity", "−∞", "−inf"}
_MAY_BE_THOUSANDS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_SURE = r"\s*[-+−]?(?:\d+{0}(?:\d{{1,2}}|\d{{4,}})|0{0}\d+)(?![\d.,])"
"""A separator that can only be for decimals: not three digits behind it, or nothing but 0 before it."""
_SURE_COMMA, _SURE_POINT = re.compile(_SURE.format(",")), re.compile(_SURE.format(r"\."))


@dataclass(frozen=True)
class Said:
    """What one cell says: a number, or the reason why it says none."""

    value: float = math.nan
    code: str = ""
    unit: str = ""
    """What stood behind the number."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """How decimals are written in a column, as those of its cells tell that can be read in one way only."""

    has_decimal_comma: bool = False
    has_decimal_point: bool = False


def numbers_from_table(kept: Sequence[CohortRow], labels: Labels, unit: str, naming: Naming) -> Verdicts:
    """Look each image up in the table; a cell that says no single number refuses its image, and no other.

    `unit` is that of the plan. An image that stands there twice with different numbers has none.

    Raises:
        SourceError: the table cannot be used, no cell holds a number, or units differ and the plan names none.
    """
    table = read_table(require_table(labels.table), [labels.image_column, labels.label_column])
    said = read_numbers([row[labels.label_column] for row in table], unit, labels.label_column)
    match = image_matcher(with_hashed_uids(table, labels.image_column, naming), labels.image_column)
    rows = [match(naming.path(image.source), image.instance_sha256, image.n_files > 1) for image in kept]
    matched = {number for numbers in rows for number in numbers}
    return Verdicts(
        [_verdict([said[number] for number in numbers]) for numbers in rows],
        tuple(number + 2 for number in range(len(table)) if number not in matched),
    )


def read_numbers(cells: Sequence[str], unit: str, column: str) -> list[Said]:
    """Read a column; whether a comma is for decimals or thousands is told by the whole column.

    Raises:
        SourceError: no cell holds a number, or units differ and the plan names none.
    """
    writing = Column(any(map(_SURE_COMMA.match, cells)), any(map(_SURE_POINT.match, cells)))
    said = [read_number(cell, writing) for cell in cells]
    numbers = [one for one in said if not one.code]
    if not numbers:
        raise SourceError(
            f"No cell in the column “{column}” holds a number. Name another column (`data.labels.label_column`), or set "
            "`task: classification` if these are classes."
        )
    units = sorted({_folded(one.unit) for one in numbers if one.unit})
    if len(units) > 1 and not unit:
        raise SourceError(
            f"The numbers in the column “{column}” are in different units ({', '.join(units[:4])}). Set `regression.unit` to "
            "the one that counts; numbers in others are then set aside."
        )
    if not unit:
        return said
    return [Said(code=OTHER_UNIT) if one.unit and _folded(one.unit) != _folded(unit) else one for one in said]


def read_number(cell: str, column: Column = Column()) -> Said:
    """Read the one number that a cell holds: with a decimal comma, digits in groups, or a unit behind it, all noted."""
    text = cell.strip()
    if not text or text.casefold() in MISSING:
        return Said(code="E_NO_LABEL")
    if text.casefold() in _INFINITE:
        return Said(code=NOT_FINITE)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return Said(code=NOT_A_NUMBER)
    sign, digits, exponent, unit = (part or "" for part in match.groups())
    plain, notes, code = _plain(digits.rstrip(_SPACES), column)
    if code:
        return Said(code=code)
    value = float(("-" if sign in "-−" and sign else "") + plain + exponent.replace("−", "-"))
    if not math.isfinite(value):
        return Said(code=NOT_FINITE)
    return Said(value, "", unit.strip(), (*notes, *([UNIT] if unit else [])))


def as_target(value: float) -> str:
    """Write a number as the tables of a study hold it: the shortest text that reads back as the same number."""
    return repr(float(value) + 0.0)  # minus zero is zero


def _plain(digits: str, column: Column) -> tuple[str, tuple[str, ...], str]:
    """Return digits with a decimal point, what was changed, and the code if they are no number or may be two.

    The last of two kinds of separators is for decimals; one kind alone is, unless it stands more than once.
    """
    separators = [sign for sign in digits if sign in ".,"]
    grouped = any(sign in _SPACES for sign in digits)
    if not separators:
        return _ungrouped(digits, "", grouped)
    decimal = separators[-1]
    if len(set(separators)) == 1 and len(separators) > 1:  # 1.234.567
        return _ungrouped(digits, decimal, grouped=True)
    if separators.count(decimal) > 1:  # 1.2,3,4
        return "", (), NOT_A_NUMBER
    whole, _, fraction = digits.rpartition(decimal)
    other = "," if decimal == "." else "."
    if any(sign in _SPACES for sign in fraction):
        return "", (), NOT_A_NUMBER
    is_sure = not column.has_decimal_comma if decimal == "." else column == Column(has_decimal_comma=True)
    if _MAY_BE_THOUSANDS.fullmatch(digits) and not is_sure:
        return "", (), AMBIGUOUS
    plain, notes, code = _ungrouped(whole or "0", other if other in whole else "", other in whole or grouped)
    return f"{plain}.{fraction or '0'}", (*([COMMA] if decimal == "," else []), *notes), code


def _ungrouped(digits: str, separator: str, grouped: bool) -> tuple[str, tuple[str, ...], str]:
    """Join digits that stand in groups of three."""
    if not grouped:
        return digits, (), ""
    signs = re.escape(separator + _SPACES)
    if not re.fullmatch(rf"[0-9]{{1,3}}(?:[{signs}][0-9]{{3}})+", digits):
        return "", (), NOT_A_NUMBER
    return re.sub(rf"[{signs}]", "", digits), (THOUSANDS,), ""


def _folded(unit: str) -> str:
    """Write a unit in one way: powers as digits, no spaces; capitals count (mm and Mm)."""
    return unit.replace("²", "2").replace("³", "3").replace("^", "").replace("µ", "μ").replace(" ", "")


def _verdict(said: Sequence[Said]) -> Verdict:
    """Make one label of all rows that name an image."""
    if not said:
        return Verdict(code="E_NO_LABEL")
    telling = [one for one in said if one.code != "E_NO_LABEL"]
    if not telling:
        return Verdict(code="E_NO_LABEL")
    wrong = next((one.code for one in telling if one.code), "")
    if wrong:
        return Verdict(code=wrong)
    if len({one.value for one in telling}) > 1:
        return Verdict(code="E_DOUBLE_LABEL")
    return Verdict(as_target(telling[0].value), notes=telling[0].notes)

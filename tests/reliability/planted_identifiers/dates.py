"""200 dates, times and ages of twenty patients with two exams each, in attributes and in words."""

from datetime import date

from .folder import Draft, Folder
from .mint import Token, tell_day, written_forms

GROUP = "dates"
STYLES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%y", "%B %d, %Y", "%d %b %Y")


def plant_dates(folder: Folder) -> None:
    """Plant ten tokens a patient."""
    for i in range(20):
        _write_patient(folder, i)


def _write_patient(folder: Folder, i: int) -> None:
    person = folder.new_person()
    first, second = folder.draft(GROUP, person, 0), folder.draft(GROUP, person, 1)
    folder.plant(first, "(0008,0020) DA", tell_day(person.exams[0].day))
    folder.plant(second, "(0008,0020) DA", tell_day(person.exams[1].day))
    folder.plant(first, "(0010,0030) DA", tell_day(person.birth))
    age = Token(f"{93 + i:03d}Y", (f"{93 + i:03d}Y",), is_short=True)
    first.dataset.PatientAge = age.value
    folder.plant(first, "(0010,1010) AS of ninety or more", age)

    folder.put(first, 0x0008002A, "DT")
    folder.put(second, (0x00080012, 0x00080022, 0x00080021, 0x00400244)[i % 4], "DA")
    folder.put(second, (0x00080032, 0x00080031, 0x00080033, 0x00080030)[i % 4], "TM")
    _write_words(folder, first, 0x00204000, "LT", STYLES[i % 5])
    if i % 2:
        _write_words(folder, second, 0x00081030, "LO", STYLES[i // 2 % 5])
        _write_private(folder, second, "LO")
    else:
        folder.put(first, 0x00400250, "DA")
        _write_private(folder, second, "DA")
    folder.write(first)
    folder.write(second)


def _write_words(folder: Folder, draft: Draft, tag: int, vr: str, style: str) -> None:
    day = folder.mint.day()
    draft.dataset.add_new(tag, vr, f"compared with the film of {day.strftime(style)}")
    folder.plant(draft, f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {vr} in words", _written(day, style))


def _write_private(folder: Folder, draft: Draft, vr: str) -> None:
    draft.dataset.add_new(0x00190010, "LO", "INVENTED DATES")
    day = folder.mint.day()
    draft.dataset.add_new(0x00191001, vr, f"{day:%Y%m%d}")
    folder.plant(draft, f"(0019,1001) private {vr}", _written(day, "%Y%m%d"))


def _written(day: date, style: str) -> Token:
    return Token(None, tuple({day.strftime(style), *written_forms(day)}), day)

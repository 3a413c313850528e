"""50 identifiers in ten character sets, one of them declared wrongly."""

from dataclasses import dataclass

from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from .folder import Draft, Folder
from .mint import Token

GROUP = "charsets"


@dataclass(frozen=True)
class Script:
    """A script, as a DICOM file declares it and as Python knows it."""

    declared: str | list[str]
    encodings: tuple[str, ...]
    letters: str
    n_letters: int = 10


KANJI = "山田太郎佐藤鈴木高橋伊渡辺中村小林加吉松井上清水森池橋石川前岡長谷後近遠坂青西福三原竹金和秋横宮内安大島"
HANGUL = (
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함변염추도소석"
)
HANZI = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢"

SCRIPTS = (
    Script("ISO_IR 100", ("latin_1",), "äöüßéèêàçñåøæ"),
    Script("ISO_IR 144", ("iso8859_5",), "абвгдежзиклмнопрстуфхцчшэюя"),
    Script("ISO_IR 126", ("iso8859_7",), "αβγδεζηθικλμνξοπρστυφχψω"),
    Script("ISO_IR 127", ("iso8859_6",), "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"),
    Script("ISO_IR 166", ("iso8859_11",), "กขคงจฉชซดตถทธนบปผพฟภมยรลวศสหอ"),
    Script(["", "ISO 2022 IR 87"], ("euc_jp", "shift_jis"), KANJI, 6),
    Script(["", "ISO 2022 IR 149"], ("euc_kr",), HANGUL, 6),
    Script("GB18030", ("gb18030",), HANZI, 6),
    Script("ISO_IR 192", (), KANJI + "äöüß", 6),
    Script("ISO_IR 100", (), "абвгдежзиклмнопрстуфхцчшэюя"),  # UTF-8 in truth
)


def plant_charsets(folder: Folder) -> None:
    """Plant five tokens a script."""
    for i, script in enumerate(SCRIPTS):
        _write_script(folder, script, is_declared_wrongly=i == len(SCRIPTS) - 1)


def _write_script(folder: Folder, script: Script, is_declared_wrongly: bool) -> None:
    draft = folder.draft(GROUP, folder.new_person())
    draft.dataset.SpecificCharacterSet = script.declared
    for tag, vr in ((0x00100010, "PN"), (0x00081070, "PN"), (0x00080080, "LO"), (0x00204000, "LT"), (0x00181040, "LO")):
        word = "".join(folder.mint.random.choices(script.letters, k=script.n_letters))
        _write(draft, tag, vr, word, is_declared_wrongly)
        forms: tuple[str | bytes, ...] = (word,)
        if "ISO 2022 IR 87" in script.declared:
            forms = (word, word.encode("iso2022_jp").replace(b"\x1b$B", b"").replace(b"\x1b(B", b""))
        place = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {vr} in {script.declared}{', declared wrongly' * is_declared_wrongly}"
        folder.plant(draft, place, Token(word, forms), encodings=script.encodings)
    folder.write(draft)


def _write(draft: Draft, tag: int, vr: str, word: str, is_declared_wrongly: bool) -> None:
    text = f"{word}^{draft.person.given}" if vr == "PN" else word
    if is_declared_wrongly:
        content = text.encode()
        content += b" " * (len(content) % 2)
        draft.dataset[tag] = RawDataElement(Tag(tag), vr, len(content), content, 0, False, True)
    else:
        draft.dataset.add_new(tag, vr, text)

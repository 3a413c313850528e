"""What comes out of a file: nothing that identifies, everything that a study needs, and a valid object."""

import io
import shutil
import struct
import subprocess

import numpy as np
import pydicom
import pytest
from deid_files import RAMP, as_bytes, cleaned, patient_file
from pydicom.datadict import DicomDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EncapsulatedPDFStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from lucency.data.dicom.deidentification.actions import _TECHNICAL
from lucency.data.dicom.deidentification.pseudonyms import Pseudonyms
from lucency.data.reading import RefusedImage

TEXTS = ("LO", "LT", "ST", "UT", "UC", "SH", "PN", "AE", "UR", "UI", "OB", "OW", "UN", "OF", "OD")


def read(content: bytes) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(content))


def planted_everywhere() -> tuple[Dataset, dict[str, str]]:
    """Return a file with a token of its own in every element of the dictionary that can hold a text."""
    header, tokens = patient_file(), {}
    for tag, (vr, _, _, _, keyword) in DicomDictionary.items():
        first = vr.split(" or ")[0]
        if tag >> 16 < 8 or tag & 0xFFFF == 0 or tag in header or first not in TEXTS or tag in _TECHNICAL:
            continue
        token = f"1.2.999.{tag}" if first == "UI" else f"ZQ{tag:08X}"
        tokens[keyword] = token
        header.add(DataElement(tag, first, (token + "__").encode() if first[0] == "O" or first == "UN" else token))
    return header, tokens


@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
@pytest.mark.parametrize("options", [{}, {"dates": "remove", "private": "safe", "patient_characteristics": "remove"}])
def test_no_text_of_any_element_of_the_dictionary_passes(syntax, options):
    """The table of the standard lists what is known to identify; names are typed into all the other fields too."""
    header, tokens = planted_everywhere()
    if syntax == "implicit":
        header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    content = cleaned(header, **options).content
    assert len(tokens) > 800
    assert [keyword for keyword, token in tokens.items() if token.encode() in content] == []


@pytest.mark.parametrize("depth", [1, 2, 5, 20])
def test_identifiers_in_sequences_are_found_at_any_depth(depth):
    """Other tools stop at the first or second level."""
    item = Dataset()
    item.PatientName, item.AccessionNumber, item.PatientComments = "Zqname^Zqgiven", "ZQACC", "ZQCOMMENT"
    for _ in range(depth):
        outer = Dataset()
        outer.add(DataElement(0x00081140, "SQ", Sequence([item])))
        item = outer
    content = cleaned(patient_file(DerivationImageSequence=Sequence([item]))).content
    assert b"Zq" not in content
    assert b"ZQ" not in content


def test_nesting_without_end_is_refused():
    """A parser that recurses would end the program."""
    item = b""
    for _ in range(400):
        sequence = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, len(item) + 8)
        item = sequence + struct.pack("<HHL", 0xFFFE, 0xE000, len(item)) + item
    with pytest.raises(RefusedImage) as refusal:
        cleaned(as_bytes(patient_file(PixelData=None)) + item)
    assert refusal.value.code == "E_DEID_NESTED"


def test_a_sequence_of_unknown_representation_is_cleaned_like_any_other():
    """Archives that do not know an element write it as UN, in implicit little endian."""
    name = struct.pack("<HHL", 0x0010, 0x0010, 10) + b"Zqname^Foo"
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(name)) + name
    unknown = struct.pack("<HH2sHL", 0x0008, 0x1140, b"UN", 0, len(item)) + item
    header = as_bytes(patient_file(PixelData=None))
    new = cleaned(header + unknown).content
    assert b"Zqname" not in new
    assert len(read(new).ReferencedImageSequence) == 1


def test_preamble_file_meta_padding_and_bytes_behind_the_data_are_new():
    """Four of four tools that were measured passed on what stands in the file meta information."""
    header = patient_file()
    header.file_meta.SourceApplicationEntityTitle = "ZQMETA"
    header.file_meta.ImplementationVersionName = "ZQVERSION"
    header.file_meta.PrivateInformationCreatorUID = "1.2.999.1"
    header.file_meta.PrivateInformation = b"ZQPRIVATE_"
    header.add(DataElement(0xFFFCFFFC, "OB", b"ZQPADDING_"))
    content = bytearray(as_bytes(header) + b"ZQBEHIND" * 9)
    content[:128] = (b"ZQPREAMBLE" * 13)[:128]
    new = cleaned(bytes(content)).content
    assert new[:128] == bytes(128)
    assert b"ZQ" not in new
    assert b"1.2.999" not in new
    assert read(new).file_meta.MediaStorageSOPInstanceUID == read(new).SOPInstanceUID


def test_private_elements_go_and_safe_ones_stay_where_asked_for():
    """A b-value is needed for diffusion; nothing else of a manufacturer is known to be harmless."""
    header = patient_file()
    block = header.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", "1000")
    block.add_new(0x99, "LO", "ZQUNLISTED")
    header.private_block(0x0029, "ZQ CREATOR", create=True).add_new(0x01, "UN", b"ZQBYTES_")
    wrong = header.private_block(0x0043, "GEMS_PARM_01", create=True)
    wrong.add_new(0x39, "LO", "ZQNONUMBER")
    assert not [element for element in read(cleaned(header).content) if element.tag.is_private]
    kept = read(cleaned(header, private="safe").content)
    assert kept.private_block(0x0019, "SIEMENS MR HEADER")[0x0C].value == 1000
    assert b"ZQ" not in cleaned(header, private="safe").content


def test_overlays_curves_and_icons_do_not_pass():
    """They hold handwriting, annotations and small pictures of what is burned in."""
    header = patient_file()
    header.add(DataElement(0x60003000, "OW", b"ZQOVERLAY_"))
    header.add(DataElement(0x60004000, "LT", "ZQREMARK"))
    header.add(DataElement(0x50003000, "OW", b"ZQCURVE_"))
    icon = Dataset()
    icon.PixelData = b"ZQICON"
    icon["PixelData"].VR = "OB"
    header.IconImageSequence = Sequence([icon])
    assert b"ZQ" not in cleaned(header).content


@pytest.mark.parametrize("is_signed", [False, True])
def test_an_overlay_in_unused_bits_is_cleared_and_the_values_stay(is_signed):
    """Older scanners kept the overlay in the bits above the picture."""
    values = np.arange(-32, 32, dtype="<i2").reshape(8, 8) if is_signed else RAMP
    stored = (values.view("<u2") & 0x0FFF).copy()
    stored[2, 3] |= 0x4000
    new = read(cleaned(patient_file(stored, BitsStored=12, HighBit=11, PixelRepresentation=int(is_signed))).content)
    raw = np.frombuffer(new.PixelData, "<i2" if is_signed else "<u2").reshape(8, 8)
    assert np.array_equal(raw, values)


@pytest.mark.parametrize("dtype", ["<u1", "<u2", "<i2"])
@pytest.mark.parametrize("syntax", [None, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_clean_pixels_stay_bit_equal(dtype, syntax):
    """A de-identifier that touches values changes the study."""
    stored = np.random.default_rng(1).integers(0, 200, (9, 8)).astype(dtype)
    header = patient_file(stored)
    if syntax == ExplicitVRBigEndian:
        header.PixelData = stored.byteswap().tobytes()
        header["PixelData"].VR = "OW" if stored.dtype.itemsize == 2 else "OB"
        header.file_meta.TransferSyntaxUID = syntax
        file = io.BytesIO()
        pydicom.dcmwrite(file, header, implicit_vr=False, little_endian=False, enforce_file_format=True)
        content = file.getvalue()
    else:
        header.file_meta.TransferSyntaxUID = syntax or header.file_meta.TransferSyntaxUID
        content = as_bytes(header)
    assert np.array_equal(read(cleaned(content).content).pixel_array, stored)


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, RLELossless])
def test_compressed_pixels_stay_compressed_and_equal(syntax):
    """Only what surrounds the picture is taken away."""
    stored = np.arange(4096, dtype="<u2").reshape(64, 64)
    header = patient_file(stored)
    header.compress(syntax)
    new = read(cleaned(header).content)
    assert new.file_meta.TransferSyntaxUID == syntax
    assert np.array_equal(new.pixel_array, stored)


def test_comments_inside_a_compressed_picture_are_blanked():
    """A JPEG carries comments, camera data and thumbnails of its own."""
    from PIL import Image
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit

    picture = np.random.default_rng(2).integers(0, 255, (16, 16), np.uint8)
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "ZQEXIF"
    Image.fromarray(picture).save(file, "JPEG", comment=b"ZQCOMMENT", exif=exif)
    header = patient_file(picture)
    header.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    header.PixelData = encapsulate([file.getvalue() + b"ZQBEHIND"])
    header["PixelData"].is_undefined_length = True
    before = read(as_bytes(header)).pixel_array
    new = cleaned(header).content
    assert b"ZQ" not in new
    assert np.array_equal(read(new).pixel_array, before)


def test_what_a_study_needs_is_kept():
    """Geometry, grey levels and protocol are no secrets; without them there is no study."""
    kept = {
        "PixelSpacing": [0.7, 0.7],
        "ImagePositionPatient": [-1.5, 2.0, 3e-2],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "SliceThickness": 2.5,
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "RescaleType": "HU",
        "WindowCenter": [40, 400],
        "WindowWidth": [80, 1500],
        "KVP": 120,
        "ConvolutionKernel": "B30f",
        "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "Sensation 64",
        "BodyPartExamined": "CHEST",
        "PatientPosition": "HFS",
        "InstanceNumber": 7,
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "GantryDetectorTilt": 0,
        "PatientSex": "F",
    }
    new = read(cleaned(patient_file(**kept)).content)
    assert {keyword: new.get(keyword) for keyword in kept} == kept


def test_a_palette_stays_whole():
    """Without its colours an image of a palette cannot be shown."""
    palette = np.arange(256, dtype="<u2")[::-1].tobytes()
    header = patient_file(RAMP.astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(header, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(header, f"{colour}PaletteColorLookupTableData", palette)
    new = read(cleaned(header).content)
    assert new.GreenPaletteColorLookupTableData == palette
    assert new.RedPaletteColorLookupTableDescriptor == [256, 0, 16]


def test_uids_link_what_they_linked_before():
    """References between files must resolve after de-identification, and new UIDs must tell nothing of old ones."""
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    first = read(cleaned(patient_file()).content)
    second = read(
        cleaned(patient_file(SOPInstanceUID="1.2.3.5", ReferencedImageSequence=Sequence([reference]))).content
    )
    assert second.ReferencedImageSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert second.ReferencedImageSequence[0].ReferencedSOPClassUID == reference.ReferencedSOPClassUID
    assert second.SeriesInstanceUID == first.SeriesInstanceUID
    assert first.SOPInstanceUID.startswith("2.25.")
    assert first.SOPInstanceUID.is_valid


def test_another_key_gives_other_names():
    """Whoever shares two data sets with two keys does not link them."""
    first, second = cleaned(patient_file()), cleaned(patient_file(), key=Pseudonyms(b"another key of thirty-two bytes"))
    assert first.patient != second.patient
    assert read(first.content).StudyInstanceUID != read(second.content).StudyInstanceUID


def test_a_patient_keeps_one_name_however_the_number_is_written():
    """Case, blanks and leading zeros are typing; another issuer is another patient."""
    names = [cleaned(patient_file(PatientID=number)).patient for number in ("0042a", " 42A ", "42a")]
    assert len(set(names)) == 1
    other = cleaned(patient_file(PatientID="42a", IssuerOfPatientID="OTHER")).patient
    assert other not in names


def test_the_file_says_what_was_done_to_it():
    """PS3.15, E.1.1 demands it, and a reader must know."""
    new = read(cleaned(patient_file(), private="safe").content)
    assert new.PatientIdentityRemoved == "YES"
    assert "2026c" in "".join(new.DeidentificationMethod)
    codes = {item.CodeValue for item in new.DeidentificationMethodCodeSequence}
    assert codes == {"113100", "113107", "113108", "113111"}
    assert new.LongitudinalTemporalInformationModified == "MODIFIED"
    assert new.SpecificCharacterSet == "ISO_IR 192"


@pytest.mark.parametrize("beginning", ["000500", "235000", "101112", "15"])
def test_times_of_one_exam_keep_their_distances_at_any_hour(beginning):
    """A tracer given half an hour before the scan was given half an hour before it, also in a night shift."""
    hour = int(beginning[:2])
    header = patient_file(StudyTime=beginning, AcquisitionTime=f"{hour:02d}0130.25", ContentTime=f"{hour:02d}3130.75")
    new = read(cleaned(header).content)
    clocks = [
        int(text[:2]) * 3600 + int(text[2:4]) * 60 + float(text[4:]) for text in (new.AcquisitionTime, new.ContentTime)
    ]
    assert clocks[1] - clocks[0] == 1800.5
    assert new.AcquisitionTime != header.AcquisitionTime


def test_the_date_of_birth_goes_and_the_age_stays():
    """Without the age a cohort cannot be described; with the date of birth a patient can be found."""
    new = read(cleaned(patient_file()).content)
    assert not new.PatientBirthDate
    assert new.PatientAge == "061Y"
    assert "PatientAge" not in read(cleaned(patient_file(), patient_characteristics="remove").content)
    assert read(cleaned(patient_file(PatientBirthDate="19200101")).content).PatientAge == "090Y"
    assert read(cleaned(patient_file(PatientAge="095Y")).content).PatientAge == "090Y"


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 192", "Müller^Jürgen"),
        ("ISO_IR 100", "Müller^Jürgen"),
        ("ISO_IR 144", "Иванов^Иван"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_in_all_character_sets_go(charset, name):
    """Each encoding of a name is looked for, in the header and in what was typed elsewhere."""
    header = patient_file(SpecificCharacterSet=charset, PatientName=name, StudyDescription=f"CT {name}")
    new = cleaned(header, descriptors="clean").content
    for part in name.replace("=", "^").split("^"):
        for encoding in ("utf-8", "latin-1", "iso8859-5", "iso2022_jp", "euc_kr", "gb18030"):
            try:
                assert part.encode(encoding) not in new
            except UnicodeEncodeError:
                continue


def test_a_name_in_a_field_for_codes_or_numbers_goes():
    """People type into the wrong field."""
    header = patient_file(PatientName="SMITHSON^ANNA", PatientID="8812734")
    header.BodyPartExamined, header.AcquisitionNumber = "SMITHSON", "8812734"
    new = cleaned(header).content
    assert b"SMITHSON" not in new
    assert b"8812734" not in new


def test_local_codes_are_replaced_and_meanings_written_anew():
    """The meaning of a code is a free text, and a local code can be an order number."""
    standard, local = Dataset(), Dataset()
    standard.CodeValue, standard.CodingSchemeDesignator, standard.CodeMeaning = "51185008", "SCT", "ZQMEANING"
    local.CodeValue, local.CodingSchemeDesignator, local.CodeMeaning = "ZQ4711", "99LOCAL", "ZQLOCAL"
    new = read(cleaned(patient_file(AnatomicRegionSequence=[standard], ProcedureCodeSequence=[local])).content)
    assert new.AnatomicRegionSequence[0].CodeMeaning.lower().startswith("thora")
    assert new.ProcedureCodeSequence[0].CodeValue == "REMOVED"


@pytest.mark.parametrize(
    "uid",
    [
        EncapsulatedPDFStorage,
        "1.2.840.10008.5.1.4.1.1.88.33",
        "1.2.840.10008.5.1.4.1.1.11.1",
        "1.2.3.4.5",
        "1.2.840.10008.5.1.4.1.1.9.1.1",
    ],
)
def test_documents_reports_presentations_and_waveforms_are_refused(uid):
    """They hold free content, which no rule can clean."""
    with pytest.raises(RefusedImage) as refusal:
        cleaned(patient_file(SOPClassUID=uid, PixelData=None))
    assert refusal.value.code == "E_DEID_KIND"


def test_a_structured_report_can_be_cleaned_to_codes_and_numbers():
    """Measurements are worth keeping; sentences and names of observers are not."""
    finding, measurement = Dataset(), Dataset()
    finding.ValueType, finding.TextValue = "TEXT", "ZQTEXT"
    measurement.ValueType = "NUM"
    value = Dataset()
    value.NumericValue = "12.5"
    measurement.MeasuredValueSequence = [value]
    report = patient_file(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", PixelData=None, ContentSequence=[finding, measurement]
    )
    new = cleaned(report, structured="clean").content
    assert b"ZQ" not in new
    assert read(new).ContentSequence[1].MeasuredValueSequence[0].NumericValue == 12.5


@pytest.mark.parametrize(("code", "damage"), [("E_TRUNCATED", slice(None, -20)), ("E_UNREADABLE", slice(0, 0))])
def test_damaged_files_are_refused(code, damage):
    """A cut file has no image to share."""
    with pytest.raises(RefusedImage) as refusal:
        cleaned(as_bytes(patient_file())[damage])
    assert refusal.value.code == code


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
@pytest.mark.parametrize("options", [{}, {"dates": "remove", "patient_characteristics": "remove"}])
def test_files_stay_valid_by_an_independent_judge(options, tmp_path):
    """Dciodvfy finds no error in the new file that it did not find in the old one."""
    from pydicom.data import get_testdata_file

    for name in (
        "CT_small.dcm",
        "MR_small.dcm",
        "liver_1frame.dcm",
        "rtstruct.dcm",
        "examples_overlay.dcm",
        "examples_palette.dcm",
    ):
        path = get_testdata_file(name)
        with open(path, "rb") as file:
            (tmp_path / name).write_bytes(cleaned(file.read(), **options).content)
        assert errors_in(tmp_path / name) <= errors_in(path), name


def errors_in(path) -> set[str]:
    judged = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False)
    lines = (judged.stderr + judged.stdout).decode("latin-1").splitlines()
    return {line for line in lines if line.startswith("Error")}

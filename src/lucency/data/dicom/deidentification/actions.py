"""What happens to each element: the Basic Profile of PS3.15, Annex E, with its options, and a rule for all the rest.

The table of the Basic Profile comes from dicom-anonymizer, which reads it from the standard; the columns of the options
are written here by keyword. The table lists what is known to identify. Elements that it does not list pass only when
they cannot hold a name: numbers, codes, geometry, and a few technical texts.
"""

from enum import Enum
from functools import cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword

from lucency.domain.data_plan import Deidentification

EDITION = "2026c"
"""Edition of PS3.15 whose Table E.1-1 is used."""


class Action(Enum):
    """What to do with an element."""

    REMOVE = "removed"
    EMPTY = "emptied"
    DUMMY = "replaced by a dummy"
    UID = "replaced by a new UID"
    SHIFT = "date moved"
    CLEAN = "text cleaned"
    RECURSE = "sequence cleaned"
    KEEP = "checked and kept"
    PATIENT = "replaced by the pseudonym"


class Actions:
    """The action for each tag, under the settings of one run."""

    def __init__(self, settings: Deidentification) -> None:
        self._options = _kept_by_option(settings)
        self._cleaned = _tags(*DESCRIPTORS) if settings.descriptors == "clean" else frozenset()
        self._settings = settings
        self._known: dict[int, Action] = {}

    def of(self, tag: int) -> Action:
        """Return the action for a standard or unknown tag; private tags are not asked for here."""
        action = self._known.get(tag)
        if action is None:
            action = self._known[tag] = self._decide(tag)
        return action

    def _decide(self, tag: int) -> Action:
        group, element = tag >> 16, tag & 0xFFFF
        if group < 0x0008 or element == 0 or group & 0xFF00 in _GRAPHIC_GROUPS or not dictionary_has_tag(tag):
            return Action.REMOVE
        vr = dictionary_VR(tag)
        if tag in _PATIENT:
            return Action.PATIENT
        if tag in self._options:
            return _kept(vr)
        if tag in self._cleaned:
            return Action.CLEAN
        if vr in ("DA", "DT", "TM") and tag not in _NEVER_A_DATE_TO_KEEP and self._settings.dates != "remove":
            return Action.SHIFT
        if tag in _DOCUMENT_CONTENT:
            return Action.RECURSE if self._settings.structured == "clean" else Action.EMPTY
        if tag in _NAMES_OF_SCHEMES:
            return Action.REMOVE
        if tag in _basic_profile():
            return _by_profile(tag, _basic_profile()[tag], vr)
        return _by_value_representation(tag, vr)


@cache
def actions_under(settings: Deidentification) -> Actions:
    """Return the actions under some settings; what was decided once is remembered for the next file."""
    return Actions(settings)


def _by_profile(tag: int, code: str, vr: str) -> Action:
    """Turn an action code of Table E.1-1 into an action that keeps the object valid for most of its definitions."""
    if vr == "SQ":
        if tag == _STEPS:
            return Action.RECURSE
        return Action.RECURSE if code in ("D", "Z/D", "X/Z/U*") else Action.EMPTY if code == "Z" else Action.REMOVE
    if code == "X":
        return Action.REMOVE
    if code == "U":
        return Action.UID
    return Action.DUMMY if "D" in code else Action.EMPTY


def _by_value_representation(tag: int, vr: str) -> Action:
    """Decide for a standard element that Table E.1-1 does not list."""
    if vr == "SQ":
        return Action.RECURSE
    if vr == "UI":
        return Action.UID
    if tag in _REQUIRED_TEXT:
        return Action.DUMMY
    if tag in _TECHNICAL or tag in _BULK:
        return Action.KEEP
    if vr in _TEXT:
        return Action.EMPTY
    if vr in ("DA", "DT", "TM"):
        return Action.EMPTY
    return Action.KEEP if set(vr.split(" or ")) <= _NUMBERS_AND_CODES else Action.REMOVE


def _kept(vr: str) -> Action:
    return Action.RECURSE if vr == "SQ" else Action.CLEAN if vr in _TEXT else Action.KEEP


def _kept_by_option(settings: Deidentification) -> frozenset[int]:
    """Collect the tags that the chosen options retain."""
    kept: frozenset[int] = frozenset()
    if settings.patient_characteristics == "keep":
        kept |= _tags(*PATIENT_CHARACTERISTICS)
    if settings.device == "keep":
        kept |= _tags(*DEVICE)
    if settings.institution == "keep":
        kept |= _tags(*INSTITUTION)
    return kept


def _tags(*keywords: str) -> frozenset[int]:
    tags = {keyword: tag_for_keyword(keyword) for keyword in keywords}
    return frozenset(tag for tag in tags.values() if tag is not None)


@cache
def _basic_profile() -> dict[int, str]:
    """Return the action code of each tag of Table E.1-1; curves and overlays are dealt with by their groups."""
    lists = {
        "X": table.X_TAGS,
        "Z": table.Z_TAGS,
        "D": table.D_TAGS,
        "U": table.U_TAGS,
        "X/D": table.X_D_TAGS,
        "X/Z": table.X_Z_TAGS,
        "X/Z/D": table.X_Z_D_TAGS,
        "Z/D": table.Z_D_TAGS,
        "X/Z/U*": table.X_Z_U_STAR_TAGS,
    }
    return {tag[0] << 16 | tag[1]: code for code, tags in lists.items() for tag in tags if len(tag) == 2}


# The options, by the columns of Table E.1-1 ----------------------------------------------------------------------------

PATIENT_CHARACTERISTICS = (
    *("PatientSex", "PatientAge", "PatientSize", "PatientWeight", "PatientSexNeutered", "PregnancyStatus"),
    "SmokingStatus",
)
"""What the option for patient characteristics retains here. Its free texts (ethnic group, allergies, patient state,
premedication, special needs) are not retained: nothing shows that they are free of names."""

DEVICE = (
    *("DeviceSerialNumber", "StationName", "CassetteID", "PlateID", "GeneratorID", "GantryID", "DetectorID"),
    *("DeviceDescription", "DeviceLabel", "ManufacturerDeviceIdentifier", "LensMake", "LensModel", "LensSerialNumber"),
    *("LensSpecification", "SourceManufacturer", "SourceSerialNumber", "TreatmentMachineName", "XRayDetectorID"),
    *("XRayDetectorLabel", "XRaySourceID", "UniqueDeviceIdentifier", "UDISequence", "TransducerIdentificationSequence"),
    *("PerformedStationName", "ScheduledStationName", "PerformedStationNameCodeSequence"),
    *("ScheduledStationNameCodeSequence", "PerformedStationGeographicLocationCodeSequence"),
    "ScheduledStationGeographicLocationCodeSequence",
)
"""What the option for the identity of the device retains."""

INSTITUTION = (
    *("InstitutionName", "InstitutionAddress", "InstitutionCodeSequence", "InstitutionalDepartmentName"),
    *("InstitutionalDepartmentTypeCodeSequence", "ClinicalTrialCoordinatingCenterName", "ClinicalTrialSiteID"),
    *("ClinicalTrialSiteName", "ClinicalTrialProtocolEthicsCommitteeName"),
)
"""What the option for the identity of the institution retains."""

DESCRIPTORS = (
    *("StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription", "ContrastBolusAgent"),
    *("PerformedProcedureStepDescription", "ScheduledProcedureStepDescription", "AcquisitionProtocolDescription"),
    *("AcquisitionDeviceProcessingDescription", "DerivationDescription", "ImageComments", "FrameComments"),
    *("ReasonForTheRequestedProcedure", "ReasonForStudy", "AdmittingDiagnosesDescription", "AdditionalPatientHistory"),
    *("PatientComments", "StudyComments", "RequestedContrastAgent", "ClinicalTrialSeriesDescription"),
    *("ClinicalTrialTimePointDescription", "CommentsOnThePerformedProcedureStep", "CommentsOnRadiationDose"),
    *("StructureSetLabel", "StructureSetName", "StructureSetDescription", "ROIName", "ROIDescription"),
    *("ROIGenerationDescription", "ROIObservationLabel", "ROIObservationDescription", "RTPlanLabel", "RTPlanName"),
    *("RTPlanDescription", "BeamDescription", "DoseReferenceDescription", "FractionGroupDescription", "EntityLabel"),
    *("PrescriptionDescription", "SpecimenShortDescription", "SpecimenDetailedDescription", "ContainerDescription"),
    *(
        *("SegmentLabel", "SegmentDescription", "AnnotationGroupLabel", "AnnotationGroupDescription", "PyramidLabel"),
        "PyramidDescription",
        "SegmentDescription",
        "AnnotationGroupLabel",
        "AnnotationGroupDescription",
        "PyramidLabel",
        "PyramidDescription",
    ),
)
"""Descriptive texts that the option to clean descriptors cleans; the others of its column are removed."""

_DOCUMENT_CONTENT = _tags("ContentSequence", "AcquisitionContextSequence", "SpecimenPreparationSequence")
"""The column of the option to clean structured content."""


# Everything else -------------------------------------------------------------------------------------------------------

_GRAPHIC_GROUPS = (0x5000, 0x6000)
"""Curves and overlays: they can hold handwriting and annotations, and nothing that a network needs."""

_PATIENT = _tags("PatientID", "PatientName")

_NAMES_OF_SCHEMES = _tags("CodingSchemeIdentificationSequence", "CodingSchemeResourcesSequence")
"""They describe local vocabularies, whose codes are replaced anyway."""

_STEPS = 0x00081111
"""Referenced Performed Procedure Step Sequence: required in reports, and it holds nothing but UIDs."""

_NEVER_A_DATE_TO_KEEP = _tags("PatientBirthDate", "PatientBirthTime")
"""The Basic Profile empties them, and no option brings them back."""

_TEXT = {"LO", "LT", "ST", "UT", "UC", "SH", "PN", "AE", "UR"}

_NUMBERS_AND_CODES = {"CS", "DS", "IS", "US", "UL", "SS", "SL", "FL", "FD", "SV", "UV", "AT", "OF", "OD", "OL", "OV"}

_TECHNICAL = _tags(
    *("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel", "FilterType", "SequenceName"),
    *("PulseSequenceName", "ReceiveCoilName", "TransmitCoilName", "ImagedNucleus", "ResonantNucleus", "FilterMaterial"),
    *("CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning", "Radiopharmaceutical"),
    *(
        "AlgorithmVersion",
        "OpticalPathIdentifier",
        "RescaleType",
        "ModalityLUTType",
        "ReconstructionMethod",
        "AttenuationCorrectionMethod",
        "ScatterCorrectionMethod",
    ),
)
"""Texts outside the table that describe equipment and reconstruction; they pass when they look like it."""

_REQUIRED_TEXT = _tags(
    "SegmentLabel", "SegmentAlgorithmName", "TrackingID", "TextValue", "AlgorithmName", "UniversalEntityID"
)
"""Texts outside the table that must not be empty where they are present."""

_BULK = _tags(
    *("PixelData", "FloatPixelData", "DoubleFloatPixelData", "LUTData", "ICCProfile"),
    *(f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue", "Alpha")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue", "Alpha")),
)
"""Elements of bytes and words whose meaning is known; all others of that kind are removed."""

"""Every code that an image can carry through a study, in a radiologist's words.

An image is read, read with a note (N_…), or refused (E_…). Codes go into `cohort.csv` and into the report, and never
with anything that could name a patient.
"""

REFUSALS: dict[str, str] = {
    "E_EMPTY_FILE": "The file is empty.",
    "E_TRUNCATED": "The file ends before the image does, or has no pixels at all; it was probably cut short on its way.",
    "E_UNREADABLE": "The file is damaged, or is not the kind of image that it claims to be.",
    "E_BAD_HEADER": "The header lacks, or contradicts, what is needed to show the image (size, bits, rescale).",
    "E_NOT_IMAGE": "The DICOM object is not a picture (a report, structure set, segmentation, dose, presentation state…).",
    "E_MULTIFRAME": "The file holds several pictures (frames, pages, tiles) where one was expected.",
    "E_CODEC": "The image is compressed or coloured in a way that cannot be decoded here.",
    "E_SIZEBOMB": "The file claims more than any radiograph (100 million pixels), volume (537 million) or header has.",
    "E_NOT_INCLUDED": "The image does not meet an inclusion criterion of the plan, or does not tell whether it does.",
    "E_EXCLUDED": "The image meets an exclusion criterion of the plan.",
    "E_BLANK": "The image shows nothing: all its pixels have the same value.",
    "E_DUPLICATE": "The same image was already kept; a copy would count twice.",
    "E_CONFLICT": "The same image appears with different labels, so none of them can be trusted.",
    "E_NO_LABEL": "The image has no label in the ground truth (reference standard).",
    "E_DOUBLE_LABEL": "The ground truth (reference standard) names this image more than once, with different labels.",
    "E_NO_PATIENT": "The patient of this image is not known, so that it cannot be kept apart from the test set.",
    "E_NOGEOM": "The slices do not tell where in the patient they lie, so that they cannot be stacked.",
    "E_GAP": "Slices of the series are missing, or lie at distances that fit no volume.",
    "E_DUPPOS": "Different slices of the series lie in the same place, and nothing tells to which volume each belongs.",
    "E_TILT": "The slices do not stand above one another, nor are they shifted evenly as by a tilted gantry.",
    "E_NORESCALE_CT": "A CT image without rescale slope and intercept; its numbers are no Hounsfield units.",
    "E_LOCALIZER": "A localizer (scout, topogram): it shows where the slices lie and is not part of the volume.",
    "E_NOT_VOLUME": "A single picture, or frames in colour, where the plan asks for volumes (`data.image.n_slices`).",
    "E_DEID_KIND": "Not de-identified: a document, waveform, presentation or other kind of object that holds free content.",
    "E_DEID_NESTED": "Not de-identified: the header nests sequences deeper than any real image does.",
    "E_DICOMDIR": "Not de-identified: the index of a disc (DICOMDIR), which names all patients; it is left out.",
    "E_DEID_OTHER": "Not de-identified: neither DICOM nor a radiology report (.txt); it is left out.",
    "E_QUARANTINE": "Held back: text may be burned into the picture, and a person has to look at it first.",
}
"""Why an image was refused."""

NOTES: dict[str, str] = {
    "N_MONOCHROME1": "Stored with bone dark; shown inverted, so that bone is bright in all images.",
    "N_NO_PREAMBLE": "The DICOM file header is missing or incomplete; the encoding was recognised from the content.",
    "N_PALETTE": "Stored as colour numbers of a palette; the palette was applied.",
    "N_COLOUR_TO_GREY": "Stored in colour; turned to grey by its luma (ITU-R BT.601).",
    "N_COLOUR_NO_WINDOW": "Stored in colour; the window of the plan is for grey images and was not applied.",
    "N_TRANSPARENT": "Partly transparent; laid on a black background.",
    "N_ORIENTATION": "Turned upright as the camera or scanner noted it.",
    "N_REDUCED_TO_8_BIT": "An image of 16 bits with transparency or inks; read with 8 bits.",
    "N_NO_WINDOW": "No window is stored; shown from the darkest to the brightest 0.1 % of the image's own values.",
    "N_BAD_WINDOW": "The stored window is invalid or leaves the image blank; the image's own range was used.",
    "N_HIGH_BITS": "Unused bits above the stored ones carried other data (an overlay, for example); they were removed.",
    "N_PADDING": "The area outside the field of view is marked as padding; it is drawn black.",
    "N_COMMA_DECIMAL": "A number in the header is written with a decimal comma; it was read as a decimal point.",
    "N_NOT_SQUARE": "The pixels are not square; rows and columns were brought to the same scale (unless `fit: stretch`).",
    "N_DETECTOR_SPACING": "The pixel spacing is that at the detector, without correction for magnification.",
    "N_LOCALIZER_DROPPED": "A localizer (scout, topogram) in the same series was set aside.",
    "N_DUPLICATE_SLICE": "A slice of the series is there more than once; one of the copies was used.",
    "N_SPLIT_4D": "The series or file holds several volumes in the same place (time, echo, b-value…); each stands alone.",
    "N_SPLIT_SERIES": "The series holds slices of different planes, sizes or pixel spacings; each kind is a volume.",
    "N_MIXED_PATIENTS": "Images of more than one patient or exam share this series; they were kept apart.",
    "N_INCOMPLETE": "A file of this series, or one beside it, cannot be read; the volume may lack slices at its ends.",
    "N_NONUNIFORM_RESAMPLED": "The slices lie at uneven distances; they were interpolated to even ones.",
    "N_TILT_RESAMPLED": "The gantry was tilted; the slices were interpolated to an upright grid.",
    "N_NO_GEOMETRY": "The file does not tell where its frames or pages lie in the patient; they stand in their order.",
    "N_NO_ORIENTATION": "The file does not tell how the patient lies in it; the axes were taken as left, back and head.",
    "N_NO_THICKNESS": "The single slice does not tell its thickness; 1 mm was written down.",
    "N_FORMS_DISAGREE": "The two orientations in the NIfTI header disagree; the sform was used.",
    "N_SHEARED": "The axes of the grid are not at right angles to each other.",
    "N_NOT_FINITE": "Some values are no numbers, or infinite; they were replaced by the lowest value.",
    "N_ROUNDED": "Some whole numbers are larger than 16 million and were rounded.",
}
"""What was repaired, or should be known, about an image that was read."""

EXPLANATIONS: dict[str, str] = REFUSALS | NOTES
"""Every code in plain words."""

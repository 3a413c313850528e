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
    "E_MULTIFRAME": "The file holds several frames or pages; this study reads one image from each file.",
    "E_CODEC": "The image is compressed or coloured in a way that cannot be decoded here.",
    "E_SIZEBOMB": "The file claims an image larger than any radiograph (over 100 million pixels).",
    "E_BLANK": "The image shows nothing: all its pixels have the same value.",
    "E_DUPLICATE": "The same image was already kept; a copy would count twice.",
    "E_CONFLICT": "The same image appears with different labels, so none of them can be trusted.",
    "E_NO_LABEL": "The image has no label in the ground truth (reference standard).",
    "E_DOUBLE_LABEL": "The ground truth (reference standard) names this image more than once, with different labels.",
    "E_NO_PATIENT": "The patient of this image is not known, so that it cannot be kept apart from the test set.",
    "E_TINY": "The image is smaller than the plan asks for (`data.quality.smallest_side`).",
    "E_CLIPPED": "Much of the exposed field is all white or all black, and the plan refuses such images.",
    "E_BLURRED": "The image is blurred, and the plan refuses such images.",
    "E_NOISY": "The image is noisy, and the plan refuses such images.",
    "E_SCREENSHOT": "The image looks like a picture of a screen, and the plan refuses such images.",
    "E_ODD_MODALITY": "The image is of another kind than the rest of the cohort, and the plan refuses such images.",
    "E_NEAR_DUPLICATE": "The same image was already kept in another encoding, size or crop; the plan refuses copies.",
}
"""Why an image was refused."""

NOTES: dict[str, str] = {
    "N_MONOCHROME1": "Stored with bone dark; inverted so that bone is bright in all images.",
    "N_NO_PREAMBLE": "The DICOM file header is missing or incomplete; the encoding was recognised from the content.",
    "N_PALETTE": "Stored as colour numbers of a palette; the palette was applied.",
    "N_COLOUR_TO_GREY": "Stored in colour; turned to grey by its luma (ITU-R BT.601).",
    "N_COLOUR_NO_WINDOW": "Stored in colour; the window of the plan is for grey images and was not applied.",
    "N_TRANSPARENT": "Partly transparent; laid on a black background.",
    "N_ORIENTATION": "Turned upright as the camera or scanner noted it.",
    "N_REDUCED_TO_8_BIT": "A colour image of 16 bits; read with 8 bits.",
    "N_NO_WINDOW": "No window is stored; shown from the darkest to the brightest 0.1 % of the image's own values.",
    "N_BAD_WINDOW": "The stored window is invalid or leaves the image blank; the image's own range was used.",
    "N_HIGH_BITS": "Unused bits above the stored ones carried other data (an overlay, for example); they were removed.",
    "N_PADDING": "The area outside the field of view is marked as padding; it was drawn black.",
    "N_COMMA_DECIMAL": "A number in the header is written with a decimal comma; it was read as a decimal point.",
    "N_NOT_SQUARE": "The pixels are not square; the image looks stretched unless the spacing is used.",
    "N_DETECTOR_SPACING": "The pixel spacing is that at the detector, without correction for magnification.",
    "N_CLIPPED": "Much of the exposed field is all white or all black; what was there is lost.",
    "N_BLURRED": "The image is blurred, even at the size that a network sees.",
    "N_NOISY": "The image is noisy, even at the size that a network sees.",
    "N_SCREENSHOT": "Parts are perfectly even or coloured, as the bars of a window are: perhaps a picture of a screen.",
    "N_ODD_MODALITY": "The image is of another kind than the rest of the cohort, by its header or by its look.",
    "N_NEAR_DUPLICATE": "The same image is in the cohort in another encoding, size or crop; both go to the same part.",
}
"""What was repaired, or should be known, about an image that was read."""

EXPLANATIONS: dict[str, str] = REFUSALS | NOTES
"""Every code in plain words."""

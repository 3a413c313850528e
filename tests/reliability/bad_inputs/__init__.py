"""120 DICOM folders that are odd, damaged or hostile, each with what must come out of it."""

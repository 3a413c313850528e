"""De-identification of DICOM files by PS3.15, Annex E, and of the text of radiology reports beside them."""

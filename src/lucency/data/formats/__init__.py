"""Files of other formats than DICOM: NIfTI, NRRD and MetaImage, pages of TIFF, colours of 16 bits."""

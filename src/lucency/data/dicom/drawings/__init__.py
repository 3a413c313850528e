"""What was drawn on DICOM images, as masks on the grid of the image: segmentations and structure sets."""

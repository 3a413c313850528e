"""How good synthetic images are: as a whole, one by one beside the images learnt from, and as lessons for a classifier."""

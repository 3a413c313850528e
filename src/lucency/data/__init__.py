"""Room 1: images and labels in; a curated, labelled, split cohort out."""

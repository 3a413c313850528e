"""Augmentation: random changes of training images that leave their label unchanged, on whole batches."""

from lucency.data.augmentation.augmenter import Augment, Batch, make_augmenter, to_unit_range

__all__ = ["Augment", "Batch", "make_augmenter", "to_unit_range"]

"""Images of several sources, learnt from as one."""

import numpy as np
import torch

from lucency.training.examples import ImageExamples
from lucency.training.joined import JoinedImages

DRAW = np.random.default_rng(1)


def source(n: int, first_key: int) -> ImageExamples:
    """Make a source whose rows do not stand in the order of its images."""
    images = DRAW.integers(0, 255, (n + 3, 1, 4, 4), dtype=np.uint8)
    return ImageExamples(
        images, np.arange(n)[::-1] + 3, torch.arange(n) % 2, np.arange(first_key, first_key + n).astype(np.uint64)
    )


REAL, MADE = source(10, 0), source(7, 100)
JOINED = JoinedImages((REAL, MADE), 10)


def test_every_image_keeps_its_pixels_class_and_counter():
    """Whatever the order in which a batch asks for them."""
    batch = np.array([12, 3, 16, 0, 10, 9, 3])
    images = JOINED.stored(batch)
    for place, number in enumerate(batch):
        owner, within = (REAL, number) if number < 10 else (MADE, number - 10)
        assert torch.equal(images[place], owner.stored(np.array([within]))[0])
        assert JOINED.targets[number] == owner.targets[within]
        assert JOINED.sample_keys[number] == owner.sample_keys[within]
    assert JOINED.inputs(batch).max() <= 1


def test_an_epoch_is_as_long_as_asked_and_all_images_have_their_turn():
    """Twice as many images make no more steps; over the epochs each is seen."""
    assert len(JOINED) == 10
    epochs = [np.concatenate(list(JOINED.batches(4, 1, epoch))) for epoch in range(20)]
    assert all(len(epoch) == len(set(epoch)) == 10 for epoch in epochs)
    assert set(np.concatenate(epochs)) == set(range(17))
    assert (np.concatenate(list(JOINED.batches(4, 1, 3))) == epochs[3]).all()
    assert np.concatenate(list(JOINED.in_order(4))).tolist() == list(range(17))

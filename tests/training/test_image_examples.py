"""Images of one part, dealt in batches."""

import numpy as np
import pytest
import torch

from lucency.training.examples import MOST_VALUES, ImageExamples


@pytest.mark.parametrize(
    ("shape", "largest"), [((1, 28, 28), 256), ((1, 512, 512), 8), ((64, 128, 128), 2), ((200, 128, 128), 1)]
)
def test_large_images_and_volumes_are_predicted_fewer_at_a_time(shape: tuple[int, ...], largest: int):
    """Of 256 volumes at once no memory would hold the feature maps; each image is still dealt once, in its order."""
    n = 600
    store = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (n, *shape), (0, 0, 0, 0))
    examples = ImageExamples(store, np.arange(n), torch.zeros(n), np.zeros(n, np.uint64))
    batches = list(examples.in_order(256))
    assert max(map(len, batches)) == largest
    assert largest * np.prod(shape) <= MOST_VALUES or largest == 1
    assert np.array_equal(np.concatenate(batches), np.arange(n))

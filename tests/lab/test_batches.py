import pytest

from lucency.errors import PlanError
from lucency.lab.batches import describe_batches, plan_iterations


@pytest.mark.parametrize(("batch_size", "n_epochs", "expected"), [(3, 1, 2), (2, 1, 3), (2, 2, 6)])
def test_six_images_take_as_many_iterations_as_in_the_article(batch_size: int, n_epochs: int, expected: int):
    """Figure 8, panels A, B and C."""
    assert len(plan_iterations(6, batch_size, n_epochs)) == expected


def test_the_last_batch_may_be_short():
    """7 images in batches of 3 leave one for the third."""
    assert [iteration.images for iteration in plan_iterations(7, 3)] == [(1, 2, 3), (4, 5, 6), (7,)]
    assert "images 7 (short: no images are left)" in describe_batches(7, 3, 1)


def test_every_image_comes_once_in_each_epoch():
    """That is what an epoch is."""
    iterations = plan_iterations(10, 4, 3)
    for epoch in (1, 2, 3):
        seen = [image for iteration in iterations if iteration.epoch == epoch for image in iteration.images]
        assert seen == list(range(1, 11))
    assert [iteration.number for iteration in iterations] == list(range(1, 10))


def test_the_description_does_the_article_s_sum():
    """6 / 2 = 3 iterations per epoch, 3 × 2 = 6 in all."""
    text = describe_batches()
    assert "6 / 2 = 3 iterations per epoch" in text
    assert "3 × 2 = 6 iterations in all" in text
    assert "short" not in text


def test_a_batch_larger_than_the_data_is_one_short_batch():
    """Batch gradient descent and more."""
    assert "5 / 8, rounded up = 1 iteration per epoch" in describe_batches(5, 8, 1)


def test_an_empty_batch_is_refused():
    """No iteration can be made of nothing."""
    with pytest.raises(PlanError, match="1 or more"):
        plan_iterations(6, 0)

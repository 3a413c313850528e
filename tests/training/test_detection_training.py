import numpy as np
import pytest
import torch

from lucency.data.augmentation import Batch, make_augmenter
from lucency.domain.augmentation_plan import NO_AUGMENTATION
from lucency.domain.data_plan import Image
from lucency.domain.detection_plan import Detection
from lucency.domain.detections import Lesion
from lucency.domain.plan import Augmentation
from lucency.domain.progress import Silence
from lucency.domain.training_plan import Training
from lucency.errors import Interrupted
from lucency.network.detection.anchors import anchors_for, best_overlaps
from lucency.network.detection.layers import layers_of_detector
from lucency.network.detection.rcnn import build_detector
from lucency.training.course import Course, Measure
from lucency.training.detecting import detection_cost, judged_by, set_marks
from lucency.training.device import OneDevice
from lucency.training.drawn_images import DrawnImages, boxes_around, drawn_lessons, share_moved_out
from lucency.training.examples import ImageExamples
from lucency.training.loop import train_member
from lucency.training.standardised import Standardised

SIDE = 64
SETTINGS = Detection(n_channels=32, n_proposals=20, most_marks=5)


@pytest.fixture(scope="module")
def drawn():
    """Six images with bright rectangles, two without."""
    random = np.random.default_rng(1)
    store = random.integers(0, 60, (8, 1, SIDE, SIDE)).astype(np.uint8)
    lesions = []
    for number in range(8):
        of_image = []
        for _ in range(number % 4):
            left, top = random.integers(0, 36, 2)
            width, height = random.integers(12, 24, 2)
            store[number, 0, top : top + height, left : left + width] = 220
            pixels = np.zeros((SIDE, SIDE), bool)
            pixels[top : top + height, left : left + width] = True
            edges = tuple(map(float, (left, top, left + width, top + height)))
            of_image.append(Lesion("mass", edges, runs_of(pixels)))
        lesions.append(tuple(of_image))
    images = ImageExamples(store, np.arange(8), torch.zeros(8), np.arange(8, dtype=np.uint64))
    return DrawnImages(images, tuple(lesions), ("mass",), has_masks=True)


def runs_of(pixels):
    flat = pixels.T.ravel()
    return tuple(np.diff(np.flatnonzero(np.diff(flat, prepend=False)), prepend=0, append=flat.size).tolist())


def untrained(drawn, has_masks=True):
    torch.manual_seed(1)
    boxes = np.array([lesion.edges for lesions in drawn.lesions for lesion in lesions])
    network = build_detector("resnet18", SETTINGS, Image(size=SIDE), 1, anchors_for(boxes, 1), has_masks=has_masks)
    detector = Standardised(network, 1)
    detector.fit(drawn.images)
    return detector


def course_of(drawn, epochs=1):
    return Course(
        title="Training",
        settings=Training(epochs=epochs, batch_size=4, learning_rate=1e-3, n_threads=1, checkpoint_minutes=1e9),
        training=drawn,
        lesson=drawn_lessons(drawn, make_augmenter(Augmentation(), 1)),
        cost=detection_cost,
        judge=judged_by(drawn, lambda marks: float(sum(map(len, marks)))),
        measure=Measure("marks"),
        seed=1,
        key="key",
    )


class Stopper(Silence):
    """A desk that asks to stop after some steps."""

    def __init__(self, n_steps):
        self.n_steps = n_steps

    def advance(self, n_steps=1, detail=""):
        self.n_steps -= n_steps
        if self.n_steps == 0:
            raise Interrupted("stopped")


def test_a_run_that_was_stopped_ends_with_the_same_bits(drawn, tmp_path):
    """Proposals are sampled from torch's generator; the loop seeds it for each iteration."""
    whole = train_member(untrained(drawn), course_of(drawn), tmp_path / "whole", Silence())
    with pytest.raises(Interrupted):
        train_member(untrained(drawn), course_of(drawn), tmp_path / "parts", Stopper(1))
    again = train_member(untrained(drawn), course_of(drawn), tmp_path / "parts", Silence())
    assert [epoch.training_cost for epoch in whole.history] == [epoch.training_cost for epoch in again.history]
    assert all(torch.equal(tensor, again.weights[name]) for name, tensor in whole.weights.items())


def test_the_network_sees_images_as_they_are(drawn):
    """Neither torchvision's resizing nor its means for photographs touch them."""
    detector = untrained(drawn).eval()
    seen = []
    detector.network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = drawn.images.inputs(np.arange(2))
    with torch.no_grad():
        detector(images)
    assert torch.equal(seen[0], (images - detector.mean) / detector.deviation)


def test_marks_fall_by_score_and_lie_within_the_image(drawn):
    """As many as the plan allows, each with a mask that is not empty."""
    for marks in set_marks(untrained(drawn), drawn, OneDevice("cpu")):
        scores = [mark.score for mark in marks]
        assert scores == sorted(scores, reverse=True)
        assert len(marks) <= SETTINGS.most_marks
        for mark in marks:
            left, top, right, bottom = mark.edges
            assert 0 <= left < right <= SIDE
            assert 0 <= top < bottom <= SIDE
            assert sum(mark.runs[1::2]) > 0


def test_judging_leaves_no_trace(drawn):
    """The cost on the tuning part is counted in training mode, and yet nothing may be learnt from it."""
    torch.manual_seed(1)
    boxes = np.array([lesion.edges for lesions in drawn.lesions for lesion in lesions])
    settings = SETTINGS.model_copy(update={"normalisation": "batch"})
    network = Standardised(
        build_detector("resnet18", settings, Image(size=SIDE), 1, anchors_for(boxes, 1), has_masks=False), 1
    )
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    judge = judged_by(DrawnImages(drawn.images, drawn.lesions, ("mass",), has_masks=False), lambda _: 0.0)
    first, second = judge(network, OneDevice("cpu")), judge(network, OneDevice("cpu"))
    assert first == second
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_boxes_follow_their_masks_within_half_a_pixel(drawn):
    """Boxes of moved masks are those of the moved pixels; they lie inside the moved corners."""
    augment = make_augmenter(Augmentation(rotate_degrees=0, skew_degrees=0, flip_horizontal=0.5), 7)
    only_boxes = DrawnImages(drawn.images, drawn.lesions, drawn.kinds, has_masks=False)
    lesson, by_arithmetic = drawn_lessons(drawn, augment), drawn_lessons(only_boxes, augment)
    batch = np.arange(8)
    for epoch in range(5):
        with_masks = lesson(batch, epoch, torch.device("cpu"))[1]
        without = by_arithmetic(batch, epoch, torch.device("cpu"))[1]
        for one, other in zip(with_masks, without, strict=True):
            assert one["boxes"].shape == other["boxes"].shape
            assert torch.allclose(one["boxes"], other["boxes"], rtol=0, atol=0.5 + 1e-4)


def test_lesions_that_left_the_image_teach_nothing(drawn):
    """Half outside is gone, and the image stays as a negative."""
    far = Augmentation(rotate_degrees=0, skew_degrees=0, zoom=(1, 1), shift=0.9)
    lessons = drawn_lessons(drawn, make_augmenter(far, 3))(np.arange(8), 0, torch.device("cpu"))[1]
    n_left = sum(len(one["boxes"]) for one in lessons)
    assert n_left < sum(map(len, drawn.lesions))
    assert all(len(one["boxes"]) == len(one["labels"]) == len(one["masks"]) for one in lessons)
    assert all((one["boxes"][:, 2:] > one["boxes"][:, :2]).all() for one in lessons)


def test_boxes_of_turned_masks_are_tight(drawn):
    """The upright box around turned corners would be too large; the moved pixels tell better."""
    lesson = drawn_lessons(drawn, make_augmenter(Augmentation(rotate_degrees=45), 5))
    for one in lesson(np.arange(8), 0, torch.device("cpu"))[1]:
        around, _ = boxes_around(one["masks"][None])
        assert torch.equal(one["boxes"], around[0])


def test_lesions_moved_out_are_counted_as_the_augmentation_moves_them(drawn):
    """The share that the report tells is that of the very lessons."""
    far = Augmentation(rotate_degrees=20, shift=0.5)
    boxes_only = DrawnImages(drawn.images, drawn.lesions, drawn.kinds, has_masks=False)
    lesson = drawn_lessons(boxes_only, make_augmenter(far, 3))
    n_left = sum(len(one["boxes"]) for epoch in range(3) for one in lesson(np.arange(8), epoch, torch.device("cpu"))[1])
    n_all = 3 * sum(map(len, drawn.lesions))
    assert share_moved_out(drawn, far, 3, 3) == pytest.approx(1 - n_left / n_all)
    assert share_moved_out(drawn, NO_AUGMENTATION, 3, 3) == 0


def test_boxes_around_masks_hold_all_their_pixels():
    """The first pixel reaches from 0 to 1; an empty mask has no box."""
    masks = torch.zeros(1, 2, 5, 7, dtype=torch.uint8)
    masks[0, 0, 1:3, 2:6] = 1
    boxes, is_there = boxes_around(masks)
    assert boxes[0, 0].tolist() == [2, 1, 6, 3]
    assert is_there.tolist() == [[True, False]]


def test_without_augmentation_lessons_are_what_was_drawn(drawn):
    """Boxes to the last digit."""
    batch = np.array([3, 1, 0])
    for augment in (None, make_augmenter(NO_AUGMENTATION, 1)):
        lessons = drawn_lessons(drawn, augment)(batch, 0, torch.device("cpu"))[1]
        for number, one in zip(batch, lessons, strict=True):
            assert [tuple(edges) for edges in one["boxes"].tolist()] == [
                lesion.edges for lesion in drawn.lesions[number]
            ]


def test_anchors_fit_the_lesions_they_were_made_for():
    """Lesions of one size and shape get anchors of that size and shape."""
    boxes = np.array([[8.0 * n, 4.0 * n, 8 * n + 20, 4 * n + 20] for n in range(5)])
    anchors = anchors_for(boxes, 2)
    assert anchors.sizes == ((20.0, 20.0),) * 5
    assert anchors.ratios == (1.0, 1.0, 1.0)
    assert (best_overlaps(anchors, boxes, (64, 64)) > 0.5).all()


def test_the_layer_table_counts_every_parameter_once(drawn):
    """Backbone, pyramid, proposals and heads together are the network."""
    network = untrained(drawn).network
    rows = layers_of_detector(network, 1, (SIDE, SIDE))
    assert sum(row.n_parameters for row in rows) == sum(p.numel() for p in network.parameters())


def test_a_batch_of_drawings_is_filled_up_to_one_number(drawn):
    """What only fills up is not visible."""
    batch: Batch = drawn.drawn(np.array([0, 3]))
    assert batch.boxes.shape == (2, 3, 4)
    assert batch.box_is_visible.tolist() == [[False] * 3, [True] * 3]

"""How the images of a study are seen: through the study's own classifier, which learnt from the training part alone.

The features of a network that knows everyday photographs would judge by what matters there. Those of a classifier that tells
the study's classes apart judge by what matters here; each is brought to mean 0 and standard deviation 1 over the training part,
so that none counts for its scale alone.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from lucency.domain.parts import Part
from lucency.study.folder import Opening
from lucency.study.image_medium import IMAGES
from lucency.study.medium import labelled_images
from lucency.study.naming.classes import examples_of
from lucency.study.naming.classification import NAMING
from lucency.study.stage import Study
from lucency.study.training import load_member, members, weights_file

if TYPE_CHECKING:  # torch takes seconds to import; only stages that need it do
    from torch import nn

    from lucency.evaluation.synthesis.pictures import Pictures
    from lucency.training.device import Device
    from lucency.training.examples import ImageExamples

CLASSIFIER = weights_file("member-0")


@dataclass(frozen=True)
class Sight:
    """The classifier that looks, and the scale of what it sees."""

    network: "nn.Module"
    device: "Device"
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    def see(self, images: "ImageExamples") -> NDArray[np.float64]:
        """Return the features of images, axes (image, feature)."""
        from lucency.training.features import features_of

        return (features_of(self.network, images, self.device) - self.mean) / self.deviation


def sight_of(study: Study) -> Sight:
    """Load the classifier, and let it look at the training part to know the scale."""
    from lucency.training.device import fix_arithmetic, make_device
    from lucency.training.features import features_of

    fix_arithmetic(study.plan.training)
    device = make_device(study.plan.training)
    network = device.setup(load_member(NAMING, study, members(study.plan)[0]))
    seen = features_of(network, images_of(study, Part.TRAINING), device)
    deviation = seen.std(axis=0)
    deviation[deviation < 1e-9] = 1  # a feature that is always the same tells nothing, and divides by nothing
    return Sight(network, device, seen.mean(axis=0), deviation)


def images_of(study: Study, part: Part, opening: Opening | None = None) -> "ImageExamples":
    """Return the images of one part with their classes, in the order of `labelled_images`."""
    return cast("ImageExamples", examples_of(IMAGES, study, part, opening))


def patients_of(study: Study, part: Part, opening: Opening | None = None) -> NDArray[np.int64]:
    """Return a code for each image's patient, axis (image)."""
    from lucency.evaluation.intervals import patient_codes

    return patient_codes([image.patient_id for image in labelled_images(study, part, opening)])


def thumbnails_of(images: "ImageExamples") -> NDArray[np.float64]:
    """Return images as small pictures that are compared pixel by pixel, axes (image, number)."""
    from lucency.evaluation.synthesis.pictures import thumbnails

    white = int(np.iinfo(images.store.dtype).max)
    return np.concatenate([thumbnails(images.stored(batch).numpy(), white) for batch in images.in_order(256)])


def real_pictures(numbers: NDArray[np.float64], study: Study, part: Part, opening: Opening | None = None) -> "Pictures":
    """Join numbers of the images of a part with whose they are."""
    from lucency.evaluation.synthesis.pictures import Pictures

    return Pictures(numbers, patients_of(study, part, opening))

"""Faster R-CNN (Ren et al. 2015) and Mask R-CNN (He et al. 2017) with a feature pyramid (Lin et al. 2017).

torchvision builds them. A backbone reads the image, a pyramid joins its coarse and fine maps, a small network proposes
regions around anchors, and heads say of each region what it shows, where its box ends and, for Mask R-CNN, which of its
pixels belong to it.
"""

from functools import partial

from torch import nn
from torchvision.models import resnet
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

from lucency.domain.data_plan import Image
from lucency.domain.detection_plan import Detection
from lucency.network.detection.anchors import Anchors

_GROUPS = 32
_N_LEARNT_FROM = 64
"""Regions and anchors of an image that the cost looks at; torchvision's 512 and 256 are meant for photographs full of things."""
_ROI_PIXELS = 7


def build_detector(
    backbone: str, settings: Detection, image: Image, n_kinds: int, anchors: Anchors, *, has_masks: bool
) -> FasterRCNN:
    """Build the network around a ResNet; images are neither resized nor normalised on their way into it.

    It takes a list of images, axes (channel, row, column). While learning it also takes a list of lessons and returns its
    costs by name; else it returns boxes, scores, labels (from 1, 0 is background) and mask probabilities of each image.
    """
    width = settings.n_channels
    head_width = 4 * width
    parts = {
        "backbone": _pyramid(backbone, settings, image.n_channels),
        "min_size": min(image.shape),
        "max_size": max(image.shape),
        "image_mean": [0.0] * image.n_channels,
        "image_std": [1.0] * image.n_channels,
        "rpn_anchor_generator": anchors.generator(),
        "rpn_pre_nms_top_n_train": 4 * settings.n_proposals,
        "rpn_pre_nms_top_n_test": 4 * settings.n_proposals,
        "rpn_post_nms_top_n_train": settings.n_proposals,
        "rpn_post_nms_top_n_test": settings.n_proposals,
        "rpn_batch_size_per_image": _N_LEARNT_FROM,
        "box_batch_size_per_image": _N_LEARNT_FROM,
        "box_head": TwoMLPHead(width * _ROI_PIXELS**2, head_width),
        "box_predictor": FastRCNNPredictor(head_width, n_kinds + 1),
        "box_score_thresh": settings.lowest_score,
        "box_nms_thresh": settings.most_overlap,
        "box_detections_per_img": settings.most_marks,
    }
    if not has_masks:
        return FasterRCNN(**parts)
    mask_head = MaskRCNNHeads(width, (width,) * 4, 1)
    return MaskRCNN(mask_head=mask_head, mask_predictor=MaskRCNNPredictor(width, width, n_kinds + 1), **parts)


def _pyramid(backbone: str, settings: Detection, n_channels: int) -> BackboneWithFPN:
    """Return a ResNet whose four stages feed a pyramid; grey images get a first convolution of their own."""
    norm = partial(nn.GroupNorm, _GROUPS) if settings.normalisation != "batch" else nn.BatchNorm2d
    body = getattr(resnet, backbone)(weights=None, norm_layer=norm)
    if n_channels != 3:
        body.conv1 = nn.Conv2d(n_channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(body.conv1.weight, mode="fan_out", nonlinearity="relu")
    deepest = body.fc.in_features
    stages = [deepest // 8, deepest // 4, deepest // 2, deepest]
    return BackboneWithFPN(body, {f"layer{n + 1}": str(n) for n in range(4)}, stages, settings.n_channels)

"""The drawing of a chest radiograph: path lengths of tissue, air and bone, then exposure, scatter, noise and display.

Everything is drawn in the patient's own frame: centimetres at the detector divided by the patient's size, x to the
right of the image (the patient's left), y downwards from the apex of the lungs.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from lucency.data.phantoms.texture import N_ANGLES, N_RADII, N_TREES, TREE_RADIUS_CM, Textures

Array = NDArray[np.floating]
"""Single precision, axes (row, column)."""
Side = Literal["right", "left"]

TISSUE_PER_CM = 0.19
"""Attenuation of soft tissue at a chest tube voltage, with beam hardening, per centimetre."""
BONE_PER_CM = 0.4
"""What bone adds to the tissue whose place it takes, per centimetre."""
AIR_SHARE = 0.74
"""Share of an inflated lung that is air."""

_TABLE_TOP, _TABLE_BOTTOM, _TABLE_SIZE = -12.0, 42.0, 544


@dataclass(frozen=True)
class Body:
    """One patient's build, the same in all of the patient's images."""

    sex: Literal["F", "M"]
    size: float
    """Scale of the whole skeleton; 1 is a chest 28 cm wide."""
    depth_cm: float
    """Front to back, at the level of the heart, before scaling."""
    cardiothoracic_ratio: float
    """Largest width of the heart over the inner width of the chest, on a PA radiograph."""
    dome_cm: float
    """Height of the right dome of the diaphragm below the apex."""
    dome_step_cm: float
    """How much lower the left dome stands."""
    rib_spacing_cm: float
    rib_phase: float
    rib_drop_cm: float
    """How far a rib descends from the spine to the side."""
    breast_cm: float
    """Thickness of the breasts; 0 in men."""
    aorta_cm: float
    """How far the aortic knob bulges into the left lung."""
    stomach_cm: float
    """Width of the gastric bubble."""
    tree: int
    """Which vessel tree the lungs carry."""


@dataclass(frozen=True)
class Pose:
    """How the patient stood or lay for one image."""

    view: Literal["PA", "AP", "LL"]
    roll_degrees: float
    turn_degrees: float
    """Rotation about the long axis, which shifts the mediastinum against the spine."""
    shift_cm: tuple[float, float]
    """Displacement from the centre of the detector: right, down."""
    inspiration_cm: float
    """How far the diaphragm is pulled down compared with quiet standing."""


@dataclass(frozen=True)
class Lesion:
    """One opacity or nodule, placed in fractions of the lung so that it moves with breathing."""

    kind: Literal["opacity", "nodule"]
    side: Side
    lobe: str
    across: float
    """0 at the mediastinum, 1 at the chest wall."""
    down: float
    """0 at the apex, 1 at the diaphragm."""
    radius_cm: tuple[float, float]
    """Horizontal and vertical."""
    depth_cm: float
    """Path length of lung that has lost its air."""


@dataclass(frozen=True)
class Findings:
    """Everything abnormal that one image shows."""

    lesions: tuple[Lesion, ...] = ()
    effusion_cm: tuple[float, float] = (0.0, 0.0)
    """Height of the fluid at the right and left chest wall."""
    pneumothorax: Side | None = None
    band: Side | None = None
    """Side of a plate of collapsed lung, a harmless streak that can be taken for pneumonia."""

    @property
    def opacities(self) -> tuple[Lesion, ...]:
        """The lesions that are pneumonia."""
        return tuple(lesion for lesion in self.lesions if lesion.kind == "opacity")


@dataclass(frozen=True)
class Detector:
    """The look of one site's radiographs."""

    field_cm: tuple[float, float]
    """Height and width of the image."""
    photons: float
    """Photons per pixel of 3 mm behind open air: fewer are noisier."""
    blur_cm: float
    sharpening: float
    gamma: float
    marker: Literal["L", "R"]


@dataclass(frozen=True)
class Radiograph:
    """One drawn image with its truth; every array has axes (row, column)."""

    brightness: Array
    """0 (black, air) to 1 (white, bone)."""
    lung: NDArray[np.bool_]
    lesions: tuple[NDArray[np.bool_], ...]
    """The mask of each lesion, in the order of the findings."""
    cardiothoracic_ratio: float | None
    """As measurable on this image; None on a lateral view."""
    conspicuity: float
    """How strongly the opacities stand out: mean contrast in attenuation times the root of their area in cm."""


@dataclass(frozen=True)
class Frame:
    """The patient's coordinates of every pixel, in standard centimetres."""

    x: Array
    y: Array

    @cached_property
    def _row(self) -> NDArray[np.int32]:
        step = (_TABLE_SIZE - 1) / (_TABLE_BOTTOM - _TABLE_TOP)
        return np.clip((self.y - _TABLE_TOP) * step + 0.5, 0, _TABLE_SIZE - 1).astype(np.int32)

    def profile(self, *knots: tuple[float, float]) -> Array:
        """Return a smooth function of height, given by (y, value) knots, at every pixel."""
        return _smooth_table(knots).take(self._row)


def draw_radiograph(
    body: Body,
    pose: Pose,
    findings: Findings,
    detector: Detector,
    shape: tuple[int, int],
    textures: Textures,
    draw: np.random.Generator,
) -> Radiograph:
    """Draw one image of a patient."""
    frame = _frame(body, pose, detector, shape)
    project = _lateral if pose.view == "LL" else _frontal
    projection = project(body, pose, findings, frame, textures, draw)
    attenuation = projection.attenuation
    masks = tuple((weight > 0.5) & (projection.field > 0.5) for weight, _ in projection.lesions)
    pixel_cm = detector.field_cm[0] / shape[0]
    conspicuity = 0.0
    for (weight, added), lesion, mask in zip(projection.lesions, findings.lesions, masks, strict=True):
        attenuation = attenuation + added
        if lesion.kind == "opacity" and mask.any():
            conspicuity += float((added * weight)[mask].mean() * np.sqrt(mask.sum()) * pixel_cm)
    brightness = _display(_expose(attenuation, detector, pixel_cm, draw), projection.lung, detector)
    _stamp(brightness, "L" if pose.view == "LL" else detector.marker, draw)
    return Radiograph(brightness, projection.lung > 0.5, masks, projection.cardiothoracic_ratio, conspicuity)


@dataclass(frozen=True)
class _Projection:
    """The path of the rays through a patient, before the detector."""

    attenuation: Array
    """Without the lesions."""
    field: Array
    """0 to 1: lung, also where the heart lies before it."""
    lung: Array
    """0 to 1: lung that nothing covers, as a reader would outline it."""
    lesions: list[tuple[Array, Array]]
    """Weight, 0 to 1, and added attenuation of each lesion."""
    cardiothoracic_ratio: float | None


def _frame(body: Body, pose: Pose, detector: Detector, shape: tuple[int, int]) -> Frame:
    """Lay the patient's coordinates over the detector."""
    height_cm, width_cm = detector.field_cm
    rows = (np.arange(shape[0], dtype=np.float32) + 0.5) * (height_cm / shape[0])
    columns = (np.arange(shape[1], dtype=np.float32) + 0.5) * (width_cm / shape[1])
    x = columns - width_cm / 2 - pose.shift_cm[0]
    y = rows - (height_cm - 29.0 * body.size) / 2 - pose.shift_cm[1] + 0.5
    sine, cosine = math.sin(math.radians(pose.roll_degrees)), math.cos(math.radians(pose.roll_degrees))
    return Frame(
        ((x[None, :] * cosine + y[:, None] * sine) / body.size).astype(np.float32),
        ((y[:, None] * cosine - x[None, :] * sine) / body.size).astype(np.float32),
    )


def _frontal(
    body: Body, pose: Pose, findings: Findings, frame: Frame, textures: Textures, draw: np.random.Generator
) -> _Projection:
    """Draw a PA or AP view."""
    x, y = frame.x, frame.y
    is_left = x > 0
    lying = pose.view == "AP"
    shift = 0.07 * pose.turn_degrees
    from_midline = np.abs(x)
    from_mediastinum = np.abs(x - shift)

    rib_cage = frame.profile(
        (-1.2, 0.4),
        (-0.4, 2.6),
        (0.6, 4.8),
        (2.2, 6.9),
        (5, 9.6),
        (8, 11.3),
        (12, 12.7),
        (17, 13.5),
        (22, 13.9),
        (28, 13.9),
    )
    medial = np.where(
        is_left,
        frame.profile(
            (0, 2.2), (4, 2.6), (6, 2.6 + body.aorta_cm), (7.4, 2.7), (8.8, 3.5), (11, 4.0), (13, 4.4), (30, 2.4)
        ),
        frame.profile((0, 2.2), (4, 2.7), (8, 2.9), (12, 2.6), (30, 2.4)),
    )
    dome_right = body.dome_cm + pose.inspiration_cm
    dome_left = dome_right + body.dome_step_cm
    from_dome_top = from_midline - 6.3
    dome = (
        np.where(is_left, np.float32(dome_left), np.float32(dome_right))
        + 0.034 * from_dome_top**2
        + 0.0014 * from_dome_top**4
    )
    lung = _step(rib_cage - 0.5 - from_midline, 0.3) * _step(from_mediastinum - medial, 0.45) * _step(dome - y, 0.3)

    ratio = min(body.cardiothoracic_ratio * (1.1 if lying else 1.0), 0.72)
    inner_half_width = 13.4
    heart_edge, heart_depth = _heart(
        x - shift * 1.3, y, ratio * 2 * inner_half_width, (dome_right + dome_left) / 2 - 4.3
    )
    depth = body.depth_cm * frame.profile((-9, 0.55), (-4, 0.6), (0, 0.75), (5, 0.95), (12, 1.0), (34, 1.04))
    roundness = np.sqrt(np.clip(1 - (from_midline / rib_cage) ** 2, 0, 1))
    lung_depth = (
        lung * 0.72 * depth * roundness * frame.profile((-1, 0.35), (3, 0.66), (8, 0.92), (13, 1.0), (24, 0.94))
    )
    lung_depth *= 1 - 0.66 * heart_edge

    attenuation = TISSUE_PER_CM * (_flesh(body, frame, depth) - AIR_SHARE * lung_depth)
    attenuation += 0.05 * TISSUE_PER_CM * heart_depth
    attenuation -= TISSUE_PER_CM * _trachea(frame, shift)
    attenuation -= TISSUE_PER_CM * AIR_SHARE * _hidden_lung(frame, rib_cage, dome, y)
    attenuation += BONE_PER_CM * _ribs(body, frame, rib_cage)
    attenuation += BONE_PER_CM * _spine(frame, -0.4 * shift, draw)
    attenuation += BONE_PER_CM * _clavicles(frame, shift, lying)
    attenuation += BONE_PER_CM * _shoulders(frame, lying)
    if body.breast_cm:
        attenuation += TISSUE_PER_CM * _breasts(body, frame, lying)
    if body.stomach_cm:
        attenuation -= TISSUE_PER_CM * _stomach(body, frame, dome_left)
    attenuation += _lung_markings(body, frame, from_mediastinum - 3.7, is_left, textures, draw) * (0.25 + 0.75 * lung)
    attenuation += 0.022 * textures.cut(textures.streaky, x.shape, draw) * lung
    attenuation += 0.035 * textures.cut(textures.cloudy, x.shape, draw)
    if lying:
        attenuation += _lead(frame, draw)

    lung_width = rib_cage - 0.5 - medial
    for side, height_cm, level in (
        ("right", findings.effusion_cm[0], dome_right),
        ("left", findings.effusion_cm[1], dome_left),
    ):
        if height_cm:
            fluid = _effusion(from_midline / rib_cage, y, is_left == (side == "left"), level, height_cm)
            attenuation += TISSUE_PER_CM * AIR_SHARE * 0.9 * lung_depth * fluid
    if findings.pneumothorax:
        on_side = is_left == (findings.pneumothorax == "left")
        attenuation += _pneumothorax(frame, rib_cage, lung, on_side)
    if findings.band:
        on_side = is_left == (findings.band == "left")
        attenuation += _band(from_midline, y, lung, on_side, dome_right, draw)

    lesions = []
    for lesion in findings.lesions:
        on_side = is_left == (lesion.side == "left")
        centre_y = lesion.down * (dome_left if lesion.side == "left" else dome_right)
        across_cm = from_mediastinum - medial - lesion.across * lung_width
        weight = _lesion_weight(lesion, across_cm, y - centre_y, textures, draw) * on_side
        air_cm = np.minimum(lesion.depth_cm, lung_depth)
        added = TISSUE_PER_CM * AIR_SHARE * air_cm * weight * _lesion_texture(lesion, textures, x.shape, draw)
        lesions.append((weight, added.astype(np.float32)))
    return _Projection(attenuation, lung, lung * (1 - heart_edge), lesions, ratio)


def _flesh(body: Body, frame: Frame, depth: Array) -> Array:
    """Path length through the outline of the body: neck, shoulders, trunk."""
    wide = 1 + 0.045 * (body.depth_cm - 21)
    skin = frame.profile(
        (-9, 6.0),
        (-5.2, 6.6),
        (-3.2, 11),
        (-1.2, 19),
        (1, 22.5),
        (5, 22.5),
        (8, 18.2 * wide),
        (11, 16.4 * wide),
        (34, 16.0 * wide),
    )
    arm = np.clip(1 - ((np.abs(frame.x) - 20.4 * wide) / 3.3) ** 2, 0, 1) * frame.profile((-2, 0), (4, 1))
    return np.maximum(depth * np.clip(1 - (frame.x / skin) ** 2, 0, 1) ** 0.4, 8.5 * np.sqrt(arm))


def _heart(x: Array, y: Array, width_cm: float, centre_y: float) -> tuple[Array, Array]:
    """Return the silhouette and the path length of a tilted ellipsoid whose shadow has exactly the given width."""
    tilt = math.radians(42.0)
    sine, cosine = math.sin(tilt), math.cos(tilt)
    elongation = 1.38
    short = width_cm / 2 / math.sqrt((elongation * cosine) ** 2 + sine**2)
    right, down = x - 0.15 * width_cm, y - centre_y
    along = (right * cosine + down * sine) / (elongation * short)
    across = (down * cosine - right * sine) / short
    reach = along**2 + across**2
    return _step((1 - np.sqrt(reach)) * short, 0.6), 9.0 * np.sqrt(np.clip(1 - reach, 0, 1))


def _trachea(frame: Frame, shift: float) -> Array:
    """Air in the windpipe and the two main bronchi, as path length."""
    spread = np.maximum(frame.y - 8.0, 0) * 0.85
    centre = frame.x - shift * 0.6
    tube = np.minimum(np.abs(centre - spread), np.abs(centre + spread * 0.8))
    return 1.7 * _step(0.85 - tube, 0.35) * frame.profile((-9, 1), (8, 1), (10.5, 0.5), (12.5, 0), (20, 0))


def _hidden_lung(frame: Frame, rib_cage: Array, dome: Array, y: Array) -> Array:
    """Lung behind the domes, where the recess reaches lower at the back."""
    return (
        2.6
        * _step(y - dome, 0.4)
        * _step(dome + 4.5 - y, 2.2)
        * _step(rib_cage - 0.7 - np.abs(frame.x), 0.5)
        * _step(np.abs(frame.x) - 3, 1)
    )


def _ribs(body: Body, frame: Frame, rib_cage: Array) -> Array:
    """Path length of bone in the posterior (steep, dense) and anterior (faint, downward) arcs of all ribs."""
    across = np.minimum(np.abs(frame.x) / rib_cage, 0.999)
    bend = np.sqrt(1 - across**2)
    slope = across / (bend * rib_cage)
    ends = frame.profile((-1.5, 0), (-0.5, 1), (25, 1), (29, 0))
    posterior = _rib_arc(
        body, frame.y + 0.9 * across * bend - body.rib_drop_cm * (1 - bend), body.rib_drop_cm * slope, 0.62
    )
    fall = 1.35 * body.rib_drop_cm
    anterior = _rib_arc(body, frame.y - body.rib_drop_cm - fall * bend, fall * slope, 0.72)
    inside = _step(rib_cage + 0.1 - np.abs(frame.x), 0.2)
    cartilage = _step(across - 0.42, 0.12) * frame.profile((1, 0), (4, 1), (22, 1), (25, 0))
    return inside * (ends * _step(across - 0.12, 0.05) * posterior + 0.5 * cartilage * anterior)


def _rib_arc(body: Body, height: Array, slope: Array, half_width_cm: float) -> Array:
    """Bone at a height above the nearest of equally spaced ribs; the tube's rim is denser than its core."""
    phase = height / body.rib_spacing_cm + body.rib_phase
    distance = (phase - np.rint(phase)) * body.rib_spacing_cm / np.sqrt(1 + slope**2) / half_width_cm
    return (0.5 + 0.55 * distance**2) * _step(1 - np.abs(distance), 0.3)


def _spine(frame: Frame, shift: float, draw: np.random.Generator) -> Array:
    """Vertebral bodies, disc spaces and pedicles, as path length of bone."""
    across = (frame.x - shift) / frame.profile((-9, 1.5), (0, 1.6), (30, 2.3))
    phase = frame.y / 2.45 + draw.uniform()
    phase -= np.rint(phase)
    body = _step(1 - np.abs(across), 0.18) * (0.75 + 0.5 * across**2)
    plates = 0.75 + 0.35 * _step(0.42 - np.abs(phase), 0.06) + 0.2 * _step(0.09 - np.abs(np.abs(phase) - 0.38), 0.05)
    pedicles = np.exp(-((np.abs(across) - 0.68) ** 2) / 0.03 - (phase + 0.1) ** 2 / 0.03)
    process = np.exp(-(across**2) / 0.02 - (phase - 0.15) ** 2 / 0.04)
    return 0.62 * body * plates + 0.35 * pedicles + 0.35 * process


def _clavicles(frame: Frame, shift: float, lying: bool) -> Array:
    """Two S-shaped collar bones, higher when the patient lies."""
    outward = np.abs(frame.x - shift * np.exp(-np.abs(frame.x) / 6)) - 1.9
    level = (2.6 if lying else 4.0) - 0.17 * outward - 0.7 * np.sin(outward * 0.36) * np.exp(-outward / 30)
    half_width = 0.62 + 0.35 * np.exp(-np.clip(outward, 0, 4))
    distance = (frame.y - level) / half_width
    return (
        1.35
        * (0.8 + 0.4 * distance**2)
        * _step(1 - np.abs(distance), 0.3)
        * _step(outward, 0.4)
        * _step(16 - outward, 0.5)
    )


def _shoulders(frame: Frame, lying: bool) -> Array:
    """Shoulder blades and the heads of the upper arms; lying, the blades lie over the lungs."""
    out = np.abs(frame.x)
    border = frame.profile((-1, 15.5), (2, 14.2), (8, 13.0), (13, 11.6), (14, 11.4)) + (-1.2 if lying else 2.4)
    inside = (
        _step(out - border, 0.25) * frame.profile((-1.5, 0), (0, 1), (11, 1), (14, 0)) * _step(border + 4.5 - out, 1.5)
    )
    rim = np.exp(-(((out - border - 0.35) / 0.4) ** 2)) * frame.profile((0, 0), (3, 1), (11, 1), (13.5, 0))
    head = _step(2.5 - np.hypot(out - 18.6, frame.y - 2.4), 0.5)
    shaft = _step(1.2 - np.abs(out - 19.6 - 0.06 * (frame.y - 3)), 0.3) * _step(frame.y - 3.4, 0.8)
    return 0.2 * inside + 0.3 * rim + 1.2 * np.maximum(head, shaft)


def _breasts(body: Body, frame: Frame, lying: bool) -> Array:
    """Soft tissue over the lower lungs with a sharp lower fold."""
    reach = ((np.abs(frame.x) - 8.2) / 6.4) ** 2
    down = (frame.y - (15.5 if lying else 17.0)) / np.where(frame.y > 17, np.float32(5.0), np.float32(8.5))
    return body.breast_cm * np.clip(1 - reach - down**2, 0, 1) ** 0.6


def _stomach(body: Body, frame: Frame, dome: float) -> Array:
    """Air under the left dome, as path length."""
    reach = ((frame.x - 6.0) / body.stomach_cm) ** 2 + ((frame.y - dome - 2.0) / (0.55 * body.stomach_cm)) ** 2
    return 5.0 * np.sqrt(np.clip(1 - reach, 0, 1))


def _lung_markings(
    body: Body,
    frame: Frame,
    from_hilum: Array,
    is_left: NDArray[np.bool_],
    textures: Textures,
    draw: np.random.Generator,
) -> Array:
    """Attenuation of the hila and of the vessels that fan out from them."""
    below = frame.y - np.where(is_left, np.float32(9.9), np.float32(10.8))
    radius = np.sqrt(from_hilum**2 + below**2)
    ring = np.clip(radius * (N_RADII / TREE_RADIUS_CM), 0, N_RADII - 1).astype(np.int32)
    ray = ((np.arctan2(below, from_hilum) + np.pi) * (N_ANGLES / (2 * np.pi))).astype(np.int32) % N_ANGLES
    tree = (body.tree + is_left * 5) % N_TREES
    fade = np.clip(1.1 - radius / TREE_RADIUS_CM, 0, 1)
    hilum = np.exp(-(((from_hilum - 0.4) / 1.5) ** 2) - (below / 2.3) ** 2)
    return draw.uniform(0.25, 0.4) * textures.vessels[tree, ring, ray] * fade + draw.uniform(0.08, 0.2) * hilum


def _lead(frame: Frame, draw: np.random.Generator) -> Array:
    """Draw a monitoring cable and its electrode on the chest of a bedridden patient."""
    start, sway, top = draw.uniform(-9, 9), draw.uniform(1, 4), draw.uniform(3, 8)
    line = frame.x - start - sway * np.sin(frame.y * 0.16 + draw.uniform(0, 6))
    cable = np.exp(-((line / 0.2) ** 2)) * _step(frame.y - top, 0.2)
    electrode = _step(0.8 - np.hypot(line, frame.y - top), 0.2)
    return 0.22 * cable + 0.4 * electrode


def _effusion(across: Array, y: Array, on_side: NDArray[np.bool_], dome: float, height_cm: float) -> Array:
    """Weight of pleural fluid: a meniscus that climbs along the chest wall and blunts the angle."""
    level = dome + 3.0 - height_cm * (0.35 + 0.95 * np.clip(across, 0, 1) ** 4)
    return on_side * _step(y - level, 0.6)


def _pneumothorax(frame: Frame, rib_cage: Array, lung: Array, on_side: NDArray[np.bool_]) -> Array:
    """Air around a collapsed lung: no markings outside a thin pleural line."""
    edge = rib_cage - 0.5 - frame.profile((-1, 2.6), (4, 2.4), (10, 1.6), (18, 0.8), (24, 0.2))
    outside = np.abs(frame.x) - edge
    return on_side * lung * (0.16 * np.exp(-((outside / 0.16) ** 2)) - 0.2 * _step(outside, 0.2))


def _band(
    from_midline: Array, y: Array, lung: Array, on_side: NDArray[np.bool_], dome: float, draw: np.random.Generator
) -> Array:
    """Draw a thin, slightly oblique streak above the diaphragm."""
    centre, tilt, half_length = draw.uniform(6, 9), draw.uniform(-0.25, 0.25), draw.uniform(1.5, 3.5)
    line = (y - dome + draw.uniform(1.5, 4) - tilt * (from_midline - centre)) / draw.uniform(0.25, 0.45)
    return on_side * lung * 0.2 * np.exp(-(line**2)) * _step(half_length - np.abs(from_midline - centre), 0.8)


def _lesion_weight(
    lesion: Lesion, across_cm: Array, down_cm: Array, textures: Textures, draw: np.random.Generator
) -> Array:
    """0 to 1: a ragged, soft-edged patch, or a nodule's round shadow."""
    reach = np.sqrt((across_cm / lesion.radius_cm[0]) ** 2 + (down_cm / lesion.radius_cm[1]) ** 2)
    if lesion.kind == "nodule":
        return _step(1 - reach, 0.25)
    ragged = 0.32 * textures.cut(textures.cloudy, reach.shape, draw) + 0.1 * textures.cut(
        textures.streaky, reach.shape, draw
    )
    return _step(1 - reach + ragged * np.clip(1.6 - 0.5 * reach, 0, 1), 0.42)


def _lesion_texture(lesion: Lesion, textures: Textures, shape: tuple[int, int], draw: np.random.Generator) -> Array:
    """Patchy filling of the air spaces; nodules are solid."""
    if lesion.kind == "nodule":
        return np.ones(shape, np.float32)
    return np.clip(0.9 + 0.25 * textures.cut(textures.streaky, shape, draw), 0.1, 1.5)


def _lateral(
    body: Body, pose: Pose, findings: Findings, frame: Frame, textures: Textures, draw: np.random.Generator
) -> _Projection:
    """Draw a left lateral view: breastbone to the left of the image, spine to the right."""
    x, y = frame.x, frame.y
    dome = body.dome_cm + pose.inspiration_cm
    thick = body.depth_cm / 21
    front = thick * frame.profile((-1.5, 1.5), (0, 3.5), (4, 6.8), (9, 8.6), (15, 9.6), (22, 9.8), (28, 9.0))
    back = thick * frame.profile((-1.5, 3.5), (0, 6.0), (4, 8.4), (9, 9.6), (15, 9.8), (22, 9.2), (28, 8.2))
    floor = dome + 1.2 + 0.022 * np.maximum(x + 4, 0) ** 2 + 0.012 * np.minimum(x + 4, 0) ** 2
    lung = _step(x + front, 0.4) * _step(back - x, 0.4) * _step(floor - y, 0.35)
    skin_front = thick * frame.profile((-9, 4.5), (-3, 4.6), (1, 7.5), (6, 9.6), (14, 11.2), (22, 11.6), (34, 11.8))
    skin_front += body.breast_cm * 0.9 * np.exp(-(((y - 17) / 4.5) ** 2))
    skin_back = thick * frame.profile((-9, 5), (-3, 6), (1, 10.2), (8, 12.4), (16, 12.2), (34, 10.8))
    middle = (skin_back - skin_front) / 2
    reach = np.clip(1 - ((x - middle) / ((skin_front + skin_back) / 2)) ** 2, 0, 1)
    width = 29.0 * frame.profile((-9, 0.4), (-3, 0.55), (0, 1.05), (5, 1.1), (10, 0.98), (34, 1.0))
    heart, heart_depth = _heart(-(x + 0.28 * front), y, 12.5 * body.cardiothoracic_ratio / 0.45 * 0.92, dome - 4.4)
    lung_depth = lung * (1 - 0.55 * heart) * 17.5 * frame.profile((-1, 0.25), (4, 0.55), (10, 0.95), (24, 1.0))
    lung_depth *= np.clip(1 - (x / (0.5 * (front + back) + 1)) ** 4, 0.25, 1)
    arch = np.abs(np.hypot(x - 1.5, (y - 8.0) * 0.85) - 3.2)
    aorta = np.maximum(
        _step(1.1 - arch, 0.6) * _step(8.0 - y, 0.6), _step(1.1 - np.abs(x - 4.7), 0.6) * _step(y - 8.0, 0.6)
    )

    attenuation = (
        TISSUE_PER_CM * 0.8 * (width * reach**0.4 - AIR_SHARE * lung_depth + 0.1 * heart_depth + 1.6 * aorta * lung)
    )
    attenuation -= TISSUE_PER_CM * 1.4 * _step(0.9 - np.abs(x - 0.5 - 0.12 * y), 0.4) * _step(10.5 - y, 1)
    spine = x - thick * frame.profile((-9, 1.5), (-2, 3.5), (4, 7.2), (12, 8.6), (20, 7.8), (34, 5.6))
    attenuation += 1.3 * BONE_PER_CM * _spine(Frame(spine * 0.95, y), 0.0, draw)
    sternum = x + front + 0.5
    attenuation += BONE_PER_CM * _step(0.7 - np.abs(sternum), 0.3) * frame.profile((2, 0), (4, 1.2), (16, 1.2), (19, 0))
    slant = y + 0.45 * x
    attenuation += 0.45 * BONE_PER_CM * _rib_arc(body, slant, np.full_like(x, 0.45), 0.7) * lung
    attenuation += 0.3 * BONE_PER_CM * _rib_arc(body, slant * 1.07 + 0.9, np.full_like(x, 0.45), 0.7) * lung
    if body.stomach_cm:
        attenuation -= 0.7 * TISSUE_PER_CM * _stomach(body, Frame(x + 8.0, y), dome + 1.8)
    attenuation += _lung_markings(body, frame, np.abs(x - 0.5), x > 0, textures, draw) * lung * 0.8
    attenuation += 0.035 * textures.cut(textures.cloudy, x.shape, draw)
    if max(findings.effusion_cm):
        fluid = _step(y - floor + 0.5 * max(findings.effusion_cm) * np.clip(x / 6, 0, 1.4), 0.5)
        attenuation += TISSUE_PER_CM * AIR_SHARE * 0.4 * lung_depth * fluid

    lesions = []
    for lesion in findings.lesions:
        # Lower lobes lie at the back, the middle lobe and the lingula at the front.
        centre_x = 4.5 if "lower" in lesion.lobe else -4.5 if lesion.lobe in ("middle lobe", "lingula") else 0.0
        weight = _lesion_weight(lesion, x - centre_x, y - lesion.down * dome, textures, draw)
        air_cm = np.minimum(lesion.depth_cm, lung_depth)
        added = TISSUE_PER_CM * AIR_SHARE * air_cm * weight * _lesion_texture(lesion, textures, x.shape, draw)
        lesions.append((weight, added.astype(np.float32)))
    return _Projection(attenuation, lung, lung, lesions, None)


def _expose(attenuation: Array, detector: Detector, pixel_cm: float, draw: np.random.Generator) -> Array:
    """Turn attenuation into what the detector reads: blur, scatter, quantum noise, logarithm."""
    spread = _spread(detector, pixel_cm, attenuation.shape)
    signal = fft.idctn(fft.dctn(np.exp(-attenuation), norm="ortho") * spread, norm="ortho")
    signal = np.maximum(signal, 1e-3)
    photons = detector.photons * (pixel_cm / 0.3) ** 2
    signal += np.sqrt(signal / photons) * draw.standard_normal(signal.shape, dtype=np.float32)
    return -np.log(np.maximum(signal, 5e-4))


@lru_cache
def _spread(detector: Detector, pixel_cm: float, shape: tuple[int, int]) -> Array:
    """Return what blur, sharpening and scatter, all Gaussians with reflecting borders, do to the cosine transform."""
    rows, columns = shape
    frequency = (np.arange(rows)[:, None] / rows) ** 2 + (np.arange(columns)[None, :] / columns) ** 2

    def gaussian(width_cm: float) -> Array:
        return np.exp(-0.5 * (math.pi * width_cm / pixel_cm) ** 2 * frequency)

    sharpened = gaussian(detector.blur_cm) * (1 + detector.sharpening * (1 - gaussian(1.0)))
    return (sharpened + 0.25 * gaussian(3.5)).astype(np.float32)


def _display(reading: Array, lung: Array, detector: Detector) -> Array:
    """Bring the reading to 0 (black) to 1 (white) as a radiographer would: by the lungs and by the densest parts."""
    clear = np.percentile(reading[lung > 0.5][::3], 10)
    dense = np.percentile(reading[::2, ::2], 97)
    low, high = clear - 0.22 * (dense - clear), dense + 0.08 * (dense - clear)
    return (np.clip((reading - low) / (high - low), 0, 1.0) ** detector.gamma * 0.96).astype(np.float32)


_LETTERS = {
    "L": ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),
    "R": ("11110", "10001", "10001", "11110", "10100", "10010", "10001"),
}


def _stamp(brightness: Array, letter: str, draw: np.random.Generator) -> None:
    """Put the side marker of lead into the upper corner on the patient's own side."""
    glyph = np.array([[pixel == "1" for pixel in row] for row in _LETTERS[letter]])
    glyph = glyph.repeat(max(brightness.shape[0] // 128, 1), 0).repeat(max(brightness.shape[0] // 128, 1), 1)
    top, side = draw.integers(4, 14), draw.integers(5, 12)
    left = side if letter == "R" else brightness.shape[1] - side - glyph.shape[1]
    brightness[top : top + glyph.shape[0], left : left + glyph.shape[1]][glyph] = 1.0


def _step(distance: Array, softness: float) -> Array:
    """Return 0 outside, 1 inside, with a smooth edge as wide as twice the softness; distances are positive inside."""
    t = np.clip(distance * (0.5 / softness) + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


@lru_cache(maxsize=256)
def _smooth_table(knots: tuple[tuple[float, float], ...]) -> Array:
    """Interpolate knots and round their corners, over the height of the table."""
    heights, values = zip(*knots, strict=True)
    table = np.interp(np.linspace(_TABLE_TOP, _TABLE_BOTTOM, _TABLE_SIZE), heights, values)
    window = np.hanning(17)
    padded = np.pad(table, 8, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid").astype(np.float32)

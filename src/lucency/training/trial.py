"""A short trial of how a training step is computed fastest, before a network learns for long."""

import copy
import math
import time
from collections.abc import Callable

import torch
from torch import nn

from lucency.domain.speed import Speed
from lucency.training.course import Course
from lucency.training.device import OneDevice, make_device, suits_channels_last
from lucency.training.memory import keep_pages, release_pages

MANY_ITERATIONS = 200
"""From here on the trial's few steps cost less than one in twenty."""
WORTH_KEEPING = 1.02
"""Kept memory has to gain so much, or it is given back."""
_N_TIMED = 2

Step = Callable[[], None]


def try_speed(network: nn.Module, course: Course) -> Speed:
    """Choose how steps are computed: on a CPU, with times of a few of them where training is long; the network stays as it is.

    The trial decides about memory alone, which changes no bit. How channels are arranged changes the rounding, so it follows
    a rule and never a clock: the same plan has to give the same network on a busy machine and on an idle one.
    """
    settings = course.settings
    device = make_device(settings)
    if settings.speed == "plain" or not isinstance(device, OneDevice) or device.device.type != "cpu":
        return Speed(channels_last=False, keeps_pages=False)
    is_arranged = suits_channels_last(network)
    if _n_iterations(course) < MANY_ITERATIONS:
        return Speed(is_arranged, keep_pages())
    release_pages()
    default = _seconds(_step_of(network, course, OneDevice("cpu", arranges=False)))
    step = _step_of(network, course, device)
    arranged = _seconds(step) if is_arranged else default
    if not keep_pages():
        return Speed(is_arranged, False, default, arranged)
    kept = _seconds(step)
    is_worth_it = kept * WORTH_KEEPING < arranged
    if not is_worth_it:
        release_pages()
    return Speed(is_arranged, is_worth_it, default, arranged, kept)


def use_speed(speed: Speed) -> None:
    """Set up this process as a trial chose."""
    if speed.keeps_pages:
        keep_pages()


def _n_iterations(course: Course) -> int:
    return course.settings.epochs * math.ceil(len(course.training) / course.settings.batch_size)


def _step_of(network: nn.Module, course: Course, device: OneDevice) -> Step:
    """Return a step on a copy of the network: what is shown, cost, back propagation."""
    tried = device.setup(copy.deepcopy(network)).train()
    batch = next(iter(course.training.batches(course.settings.batch_size, course.seed, 0)))

    def step() -> None:
        inputs, lessons = course.lesson(batch, 0, device.device)
        tried.zero_grad()
        course.cost(tried, inputs, lessons).backward()

    return step


def _seconds(step: Step) -> float:
    """Return the least processor time of a few steps, after one that is not counted."""
    state = torch.get_rng_state()
    step()
    times = []
    for _ in range(_N_TIMED):
        started = time.process_time()
        step()
        times.append(time.process_time() - started)
    torch.set_rng_state(state)
    return min(times)

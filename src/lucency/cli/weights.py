"""`lucency weights`."""

from typing import Annotated

import typer

Fetched = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NETWORK]…", help="Networks whose ImageNet weights to download now, for work without a network."
    ),
]
Folder = Annotated[
    str | None,
    typer.Option("--folder", metavar="DIR", help="Where weights are kept; by default LUCENCY_WEIGHTS or the cache."),
]


def weights(context: typer.Context, networks: Fetched = None, folder: Folder = None) -> None:
    """List published weights to begin with, or download some."""
    desk = context.obj
    with desk.stoppable():
        from lucency.cli.terminal import tell
        from lucency.network.pretrained import IMAGENET, WEIGHTS, at_hand, folder_of_weights, obtain, weights_for

        place = folder_of_weights(folder)
        for name in networks or []:
            known = WEIGHTS.get(name) or weights_for(IMAGENET, name)
            desk.say(f"{name}: {obtain(known, place, desk)}")
        if networks:
            return
        for one in WEIGHTS.values():
            here = "here" if at_hand(one, place) else "not here"
            tell(
                f"{one.name}: {one.architecture}, {one.side_px} px, {one.source}, {one.licence}, {one.sha256[:8]}, {here}"
            )
        tell(f"Every network of timm (timm:NAME) has weights of its own. Downloads are kept in {place}.")

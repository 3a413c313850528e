"""`lucency lab`: the article's worked numbers, step by step."""

from typing import Annotated

import typer

app = typer.Typer(
    help="Small exact experiments: the article's worked numbers, step by step.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Matrix = Annotated[str | None, typer.Option(metavar="'1 2; 3 4'", help="Rows separated by semicolons.")]
Stride = Annotated[int, typer.Option(min=1, help="Pixels from one place to the next.")]
Padding = Annotated[int, typer.Option(min=0, help="Zeros added around the image.")]


@app.command()
def conv(image: Matrix = None, kernel: Matrix = None, stride: Stride = 1, padding: Padding = 0) -> None:
    """Convolve an image with a kernel, step by step; without options, the article's figure 3A."""
    from lucency.lab.convolution import ARTICLE_IMAGE, ARTICLE_KERNEL, describe_convolution

    chosen_image = _matrix(image) if image else ARTICLE_IMAGE
    typer.echo(describe_convolution(chosen_image, _matrix(kernel) if kernel else ARTICLE_KERNEL, stride, padding))


@app.command()
def pool(
    feature_map: Annotated[str | None, typer.Option("--map", metavar="'1 2; 3 4'", help="A feature map.")] = None,
    size: Annotated[int, typer.Option(min=1, help="Side of the pooled area.")] = 2,
    stride: Annotated[
        int | None, typer.Option(min=1, help="Pixels from one area to the next; by default the size.")
    ] = None,
    average: Annotated[bool, typer.Option("--average", help="Take the mean instead of the largest value.")] = False,
) -> None:
    """Pool a feature map; without options, that of the article's figure 3A."""
    from lucency.lab.convolution import describe_pooling

    chosen = _matrix(feature_map) if feature_map else None
    typer.echo(describe_pooling(chosen, size, stride, kind="average" if average else "max"))


@app.command()
def count(
    size: Annotated[int, typer.Option(min=1, help="Side of the image in pixels.")] = 256,
    kernel_size: Annotated[int, typer.Option(min=1, help="Side of the kernel in pixels.")] = 3,
    n_channels: Annotated[int, typer.Option(min=1, help="Channels of the image.")] = 1,
    n_kernels: Annotated[int, typer.Option(min=1, help="Number of kernels.")] = 1,
    bias: Annotated[bool, typer.Option("--bias", help="Count biases too.")] = False,
) -> None:
    """Count the parameters of a fully connected layer against a convolution; by default, as the article does."""
    from lucency.lab.counting import describe_counting

    typer.echo(describe_counting(size, kernel_size, n_channels, n_kernels, bias))


@app.command()
def size(
    size: Annotated[int, typer.Argument(min=1, help="Side of the image in pixels.")] = 4,
    kernel_size: Annotated[int, typer.Option(min=1, help="Side of the kernel in pixels.")] = 2,
    stride: Stride = 1,
    padding: Padding = 0,
) -> None:
    """Tell how large a feature map becomes."""
    from lucency.lab.counting import describe_output_size

    typer.echo(describe_output_size(size, kernel_size, stride, padding))


@app.command()
def batches(
    n_images: Annotated[int, typer.Argument(min=1, help="Training images.")] = 6,
    batch_size: Annotated[int, typer.Argument(min=1, help="Images per iteration.")] = 2,
    n_epochs: Annotated[int, typer.Argument(min=1, help="Epochs.")] = 2,
) -> None:
    """Count epochs, batches and iterations (the article's figure 8): `batches 6 3 1`, `batches 6 2 1`, `batches 6 2 2`."""
    from lucency.lab.batches import describe_batches

    typer.echo(describe_batches(n_images, batch_size, n_epochs))


@app.command()
def activation() -> None:
    """Tabulate sigmoid, hyperbolic tangent and ReLU with their derivatives."""
    from lucency.lab.activation import describe_activations

    typer.echo(describe_activations())


@app.command()
def descent(
    start: Annotated[float, typer.Option(help="Where the parameter begins.")] = 0.0,
    rate: Annotated[float | None, typer.Option(help="Learning rate; without it, four rates are compared.")] = None,
    n_steps: Annotated[int, typer.Option("--steps", min=1, help="Number of steps.")] = 6,
) -> None:
    """Walk down a parabola by W_new = W_old − rate × gradient (the article's figures 6 and 7)."""
    from lucency.lab.descent import describe_descent, describe_learning_rates

    typer.echo(describe_descent(start, rate, n_steps) if rate else describe_learning_rates(start, n_steps=n_steps))


def _matrix(text: str) -> list[list[float]]:
    """Read '1 2; 3 4'."""
    from lucency.errors import PlanError

    try:
        rows = [[float(number) for number in row.replace(",", " ").split()] for row in text.split(";")]
    except ValueError:
        raise PlanError(
            f"“{text}” is not a matrix. Write numbers, with a semicolon after each row: '1 2; 3 4'."
        ) from None
    if len({len(row) for row in rows}) != 1 or not rows[0]:
        raise PlanError(f"The rows of “{text}” are not equally long. Write a semicolon after each row: '1 2; 3 4'.")
    return rows

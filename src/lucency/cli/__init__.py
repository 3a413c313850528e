"""The desk: one file per verb, no science."""


def main() -> None:
    """Start the program."""

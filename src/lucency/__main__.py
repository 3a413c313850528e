"""Let `python -m lucency` do what `lucency` does."""

from lucency.cli import main

main()

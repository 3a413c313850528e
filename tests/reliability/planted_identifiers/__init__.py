"""PHI-2000: 2,150 invented identifiers, each unique, in files that a de-identifier has to clean.

`generator` writes the files and keeps a list of what it planted where; `leaks` looks for every one of them in whatever a
cleaner wrote; `utility` looks for what a cleaner should have kept. Nothing in here knows a cleaner: it sees an input folder,
an output folder, and what was printed.
"""

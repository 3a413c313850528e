"""Run every benchmark, side by side with its peers: `make bench`."""

from benchmarks import augmentation, near_duplicates, pneumonia, startup, training

startup.main()
augmentation.main()
training.main()
near_duplicates.main()
pneumonia.main()

"""Run every benchmark, side by side with its peers: `make bench`."""

from benchmarks import augmentation, deidentification, pneumonia, startup, training

startup.main()
augmentation.main()
training.main()
deidentification.main()
pneumonia.main()

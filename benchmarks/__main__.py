"""Run every benchmark, side by side with its peers: `make bench`."""

from benchmarks import augmentation, bad_inputs, pneumonia, startup, training

startup.main()
augmentation.main()
training.main()
pneumonia.main()
bad_inputs.main()

"""Run every benchmark, side by side with its peers: `make bench`."""

from benchmarks import (
    agreement,
    augmentation,
    bad_inputs,
    consensus,
    deidentification,
    header_scan,
    near_duplicates,
    pneumonia,
    report_network,
    report_rules,
    sliding_window,
    startup,
    training,
    training_steps,
    volumes,
)

startup.main()
augmentation.main()
training.main()
training_steps.main()
sliding_window.main()
header_scan.main()
volumes.main()
bad_inputs.main()
deidentification.main()
near_duplicates.main()
agreement.main()
consensus.main()
report_rules.main()
report_network.main()
pneumonia.main()

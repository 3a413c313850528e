"""Detection: which lesions are found, and how many false alarms that costs."""

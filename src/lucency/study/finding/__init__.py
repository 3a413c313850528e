"""The task of detection: to find lesions, as boxes or as masks."""

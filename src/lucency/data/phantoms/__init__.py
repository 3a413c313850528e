"""A made-up cohort of chest radiographs: drawn anatomy, invented people, reports, readers, and planted faults."""

from lucency.data.phantoms.cohort import CohortSummary, planted_identifiers, write_cohort

__all__ = ["CohortSummary", "planted_identifiers", "write_cohort"]

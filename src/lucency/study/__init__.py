"""The whole study, stage by stage."""

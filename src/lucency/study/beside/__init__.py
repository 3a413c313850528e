"""Verbs that stand beside a study: they prepare it, audit it, or need none."""

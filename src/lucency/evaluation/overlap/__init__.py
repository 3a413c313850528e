"""How far predicted masks overlap with the truth: each case, then all of them with intervals."""

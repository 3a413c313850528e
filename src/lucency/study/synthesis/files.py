"""Names of files that a study of synthesis leaves behind, for those who write them and those who read them."""

FACTS, SYNTHETIC_TABLE = "synthesis.json", "synthetic.csv"
NEAREST, WALK, KEPT = "figures/nearest.json", "figures/walk.json", "figures/kept.json"

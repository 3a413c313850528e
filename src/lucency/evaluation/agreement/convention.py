"""The usual words for the strength of agreement, which are conventions and nothing more."""

from lucency.domain.estimate import Estimate

_LANDIS_KOCH = ((0.8, "almost perfect"), (0.6, "substantial"), (0.4, "moderate"), (0.2, "fair"))
_KOO_LI = ((0.9, "excellent"), (0.75, "good"), (0.5, "moderate"))


def strength_in_words(estimate: Estimate) -> str:
    """Name the strength of a coefficient and whose convention it is, else nothing.

    Kappas, alpha and AC by Landis and Koch (1977), whose bands are printed as 0.21–0.40, 0.41–0.60 and so on.
    Intraclass correlations by Koo and Li (2016).
    """
    if estimate.value is None:
        return ""
    if estimate.name.startswith("ICC"):
        word = next((word for least, word in _KOO_LI if estimate.value >= least), "poor")
        return f"{word} by the convention of Koo and Li 2016"
    if any(kind in estimate.name for kind in ("kappa", "alpha", "AC1", "AC2")):
        lowest = "poor" if estimate.value < 0 else "slight"
        word = next((word for least, word in _LANDIS_KOCH if round(estimate.value, 2) > least), lowest)
        return f"{word} by the convention of Landis and Koch 1977"
    return ""

"""Hold the texts of a hundred thousand headers in little memory."""

from collections.abc import Iterator, Mapping


class HeaderTexts(Mapping[str, str]):
    """Keyword → text of one header, sharing with the header before it the keywords, and the texts that are equal.

    The slices of a series differ in five of their fifty texts; a plain dictionary each would take ten times the memory.
    """

    __slots__ = ("_places", "_texts")

    def __init__(self, texts: Mapping[str, str], before: "HeaderTexts | None" = None) -> None:
        """Take over texts; those that stand at the same place in the header `before` are kept once for both."""
        self._places: dict[str, int]
        self._texts: tuple[str, ...]
        if before is None or list(before._places) != list(texts):
            self._places = {keyword: place for place, keyword in enumerate(texts)}
            self._texts = tuple(texts.values())
        else:
            self._places = before._places
            pairs = zip(texts.values(), before._texts, strict=True)
            self._texts = tuple(old if new == old else new for new, old in pairs)

    def __getitem__(self, keyword: str) -> str:
        return self._texts[self._places[keyword]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._texts)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)})"

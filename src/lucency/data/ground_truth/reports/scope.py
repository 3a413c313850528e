"""How far a word reaches: whether “no”, “may represent” or “has resolved” speaks of a mention in the same sentence.

Our own implementation of what Chapman 2001 (NegEx), Harkema 2009 (ConText) and Irvin 2019 (CheXpert) describe. A cue reaches
to the end of its clause, along a list, and not into a statement that begins anew: “no pneumothorax, effusion or
consolidation” denies three, “no pneumothorax, small effusion” one.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lucency.data.ground_truth.reports.findings import NEGATIVE, POSITIVE, UNCERTAIN, Meaning
from lucency.data.ground_truth.reports.phrases import Hit
from lucency.data.ground_truth.reports.pieces import CONTENT, drop_pieces
from lucency.data.ground_truth.reports.words import Token

_QUESTION = Meaning("doubts_after")
_MARKS = {"predicates", "plain_predicates", "begins_anew", "weak", "still_there"}
"""Words that are looked at where they stand, also inside a longer phrase."""
_ASKING = {":", "-", "?"}
_COMMAS = {",", "-", ":", "/", "|", "."}
_JOINTS = _COMMAS | {"and", "with", "&", "+", "plus"}
"""Where a statement may begin anew."""
_LEADING_ON = {"with", "to", "for", "from", "represent", "reflect", "represents", "likely", "probably"}
"""Words behind which something else is named: in “opacity consistent with scarring or atelectasis” the opacity is sure."""
_VERBS = {"is", "are", "was", "were", "has", "have", "had", "show", "demonstrate", "reveal", "contain"}
"""Predicates that no noun follows as its own: “is” before a finding still ends what stood before it."""
_OR = {"or", "nor"}
_LISTING = {"free", "clear", "negative", "absence", "lack", "neither"}
"""Denials whose lists may end in “and”, too: “free of nodules, effusions and oedema”."""
_ASIDES = {"not", "rather", "without"}
"""Words that open an aside between two commas: “atelectasis, not pneumonia, explains …”."""
_AT_ONCE = 4
"""Words that may stand between “prior” and what it dates."""
_FARTHEST_BACK = 18
"""Words that a cue reaches back."""
_FARTHEST_STATE = 14
"""Words between a part of the body and what is said of it."""
_BETWEEN_STATE_AND_PART = {
    *(
        "the",
        "of",
        "in",
        "and",
        ",",
        "size",
        "both",
        "a",
        "appearing",
        "for",
        "bilateral",
        "overall",
        "sized",
        "left",
        "right",
    ),
    *("with", "appearance", "caliber", "contour", "transverse", "diameter", "is", "are", "or"),
}


@dataclass(frozen=True)
class Verdict:
    """What a sentence says about one mention."""

    stated: str
    """positive, negative or uncertain; empty where it is not said of the image at all."""
    cue: Hit | None = None
    """The words that made it so."""
    is_weak: bool = False
    """A denial of the new, large or focal only: “no acute fracture”."""


class Sentence:
    """The words of a sentence, the phrases in it, and the clauses that cues cannot leave."""

    def __init__(self, tokens: Sequence[Token], hits: Sequence[Hit]) -> None:
        self.tokens = tokens
        self.hits = drop_pieces([hit for hit in hits if hit.meaning.kind not in _MARKS])
        self._cues: defaultdict[str, list[Hit]] = defaultdict(list)
        for hit in self.hits:
            self._cues[hit.meaning.kind].append(hit)
        self._named = [hit for hit in self.hits if hit.meaning.kind in ("finding", "hint", "part")]
        self._part_places = {place for hit in self.of_kind("part") for place in hit.places}
        self._covered = self._part_places | {place for hit in self.of_kind("state") for place in hit.places}
        self._clause, self._parent = self._clauses()
        marks = [hit for hit in hits if hit.meaning.kind in _MARKS]
        self._is_predicate = self._predicates(marks)
        self._begins_anew = self._marked(marks, "begins_anew")
        self._is_weak = self._marked(marks, "weak")
        self._still = [hit for hit in marks if hit.meaning.kind == "still_there"]
        self._cues["doubts_after"] = sorted(
            [*self._cues["doubts_after"], *self._questions()], key=lambda cue: cue.first
        )
        self._answers = [cue for cue in self._cues["denies_after"] if self._is_answer(cue)]
        self._alternatives = self._find_alternatives()
        self._joints = [place for place, token in enumerate(tokens) if token.word in _JOINTS]

    def of_kind(self, kind: str) -> list[Hit]:
        """Return the phrases of one kind, in their order."""
        return self._cues[kind]

    def judge(self, mention: Hit, is_device: bool = False) -> Verdict:
        """Say what the sentence states about a mention, and by which words."""
        cue = self._before("asks_after", mention) or self._after("asks_before", mention)
        if cue:
            return Verdict("", cue)
        cue = self._before("not_excluded_after", mention) or self._after("not_excluded_before", mention)
        if cue:
            return Verdict(UNCERTAIN, cue)
        denial = self._denial(mention, is_device)
        if denial:
            return denial
        cue = None if is_device else self._past(mention)
        if cue:
            return Verdict("", cue)
        cue = self._doubt(mention)
        return Verdict(UNCERTAIN, cue) if cue else Verdict(POSITIVE)

    def states_of(self, part: Hit, states: dict[str, str]) -> list[Hit]:
        """Return what is said of a part of the body, out of the words that can be said of it."""
        candidates = [hit for hit in self.of_kind("state") if hit.meaning.finding in states]
        before = [hit for hit in candidates if hit.last < part.first and self._is_beside(hit, part)]
        if before and part.first - before[-1].last <= 2:
            return before
        after = [hit for hit in candidates if hit.first > part.last and self._speaks_of(hit, part)]
        return after or before

    def _denial(self, mention: Hit, is_device: bool) -> Verdict | None:
        late = self._after("denies_before", mention) or self._last_no(mention)
        if is_device and not late:
            late = self._before("removes_after", mention) or self._after("removes_before", mention)
        statement = self._before("denies_statement", mention)
        if statement:
            return Verdict(POSITIVE, statement) if late else Verdict(NEGATIVE, statement)
        early = self._before("denies_after", mention)
        if early:
            return Verdict(NEGATIVE, early, any(self._is_weak[early.last + 1 : mention.last]))
        return Verdict(NEGATIVE, late) if late else None

    def _past(self, mention: Hit) -> Hit | None:
        cue = self._before("past_after", mention)
        if cue:
            return cue
        for cue in self._cues["past_next"]:
            between = self.tokens[cue.last + 1 : mention.first]
            is_next = 0 <= mention.first - cue.last - 1 <= _AT_ONCE and all(token.is_word for token in between)
            if is_next and not any(self._in_clause(hit, mention) for hit in self._still):
                return cue
        return None

    def _doubt(self, mention: Hit) -> Hit | None:
        cue = (
            self._before("doubts_after", mention)
            or self._after("doubts_before", mention)
            or self._nearest_doubt(mention)
        )
        return cue or self._question(mention) or self._alternatives.get(mention)

    def _questions(self) -> list[Hit]:
        """Return the marks of “?pneumonia”: all but one that ends the sentence."""
        places = (place for place, token in enumerate(self.tokens[:-1]) if token.word == "?")
        return [Hit(_QUESTION, (place,)) for place in places]

    def _question(self, mention: Hit) -> Hit | None:
        """Find the mark of “pneumonia?” and “Is there pneumonia?”."""
        for place in (mention.last + 1, len(self.tokens) - 1):
            if place < len(self.tokens) and self.tokens[place].word == "?":
                return Hit(_QUESTION, (place,))
        return None

    def _nearest_doubt(self, mention: Hit) -> Hit | None:
        """Find the “versus” that follows, or the “possibly” that ends a statement."""
        cue = self._after("doubts_nearest", mention)
        if cue and not any(mention.last < hit.first < cue.first for hit in self.of_kind("finding")):
            return cue
        for cue in self._cues["doubts_last"]:
            ends = cue.last + 1 == len(self.tokens) or not self.tokens[cue.last + 1].is_word
            if ends and cue.first > mention.last and self._reaches_back(cue, mention):
                return cue
        return None

    def _find_alternatives(self) -> dict[Hit, Hit]:
        """Find the “or” between mentions of two findings; it leaves both open."""
        named = self.of_kind("finding")
        found = {}
        for cue in self._cues["either"]:
            place = bisect_left(named, cue.first, key=lambda hit: hit.first)
            before, after = named[:place][-1:], named[place : place + 1]
            if not before or not after or before[0].meaning.finding == after[0].meaning.finding:
                continue
            if self._is_joined(before[0], cue, after[0]):
                found[before[0]] = found[after[0]] = cue
        return found

    def _is_joined(self, first: Hit, cue: Hit, last: Hit) -> bool:
        if not self._in_clause(first, last) or last.first - first.last > _FARTHEST_BACK // 2:
            return False
        between = [*range(first.last + 1, cue.first), *range(cue.last + 1, last.first)]
        apart = _COMMAS | _LEADING_ON
        return not any(self._is_predicate[place] or self.tokens[place].word in apart for place in between)

    def _last_no(self, mention: Hit) -> Hit | None:
        """Find the “no” of “Pneumothorax: no”."""
        for cue in self._answers:
            if cue.first > mention.last and self._reaches_back(cue, mention):
                return cue
        return None

    def _is_answer(self, cue: Hit) -> bool:
        """Tell a “no” with nothing behind it."""
        if cue.last + 1 >= len(self.tokens) - 1 and not (cue.last + 1 < len(self.tokens) and self.tokens[-1].is_word):
            return True
        return self.tokens[cue.first - 1].word in _ASKING and not self.tokens[cue.last + 1].is_word

    def _before(self, kind: str, mention: Hit) -> Hit | None:
        """Return the nearest cue in front of a mention that reaches it; one in its gap does."""
        for cue in reversed(self._cues[kind]):
            if cue.last < mention.last and cue.first not in mention.places and self._reaches(cue, mention):
                return cue
        return None

    def _after(self, kind: str, mention: Hit) -> Hit | None:
        """Return the first cue behind a mention that reaches back to it."""
        for cue in self._cues[kind]:
            if cue.first > mention.first and cue.last not in mention.places and self._reaches_back(cue, mention):
                return cue
        return None

    def _reaches(self, cue: Hit, mention: Hit) -> bool:
        if not self._in_clause(cue, mention):
            return False
        joints = self._joints[bisect_left(self._joints, cue.last) : bisect_left(self._joints, mention.first)]
        return not any(self._restarts(place, cue, mention) for place in joints)

    def _restarts(self, joint: int, cue: Hit, mention: Hit) -> bool:
        """Tell whether a new statement begins behind a comma or an “and”."""
        word = self.tokens[joint].word
        if word in ("/", "."):
            return False
        if (
            word == ","
            and cue.first
            and self.tokens[cue.first - 1].word == ","
            and self.tokens[cue.first].word in _ASIDES
        ):
            return True
        if word == "with" and cue.meaning.kind.startswith("doubts"):
            return True
        if any(self._is_predicate[cue.last + 1 : joint]):
            return True
        ends = _OR | {"and"} if self.tokens[cue.first].word in _LISTING else _OR
        if self._lists_on(joint, mention, ends):
            return False
        beginning = joint + 1
        if beginning < len(self.tokens) and self.tokens[beginning].word in ("and", "or", "nor"):
            beginning += 1
        if beginning in self._part_places:
            return True
        if self._begins_anew[beginning] and self.tokens[beginning].word not in ("any",):
            return True
        return any(self._is_predicate[joint + 1 : self._end_of_statement(joint + 1)])

    def _lists_on(self, joint: int, mention: Hit, ends: set[str]) -> bool:
        """Tell whether an “or” later in the same list shows that the denial goes on: “no a, b, or c”."""
        for place in range(joint + 1, len(self.tokens)):
            if self.tokens[place].word in ends:
                return not any(self._is_predicate[joint + 1 : place])
            if self._clause[place] != self._clause[joint] or (self._is_predicate[place] and place > mention.first):
                return False
        return False

    def _end_of_statement(self, place: int) -> int:
        while place < len(self.tokens) and self.tokens[place].word not in (",", ";", "."):
            place += 1
        return place

    def _reaches_back(self, cue: Hit, mention: Hit) -> bool:
        if not self._in_clause(cue, mention) or cue.first - mention.last > _FARTHEST_BACK:
            return False
        joints = self._joints[bisect_left(self._joints, mention.last) : bisect_left(self._joints, cue.first)]
        return not any(self._parts(joint, cue, mention) for joint in joints)

    def _parts(self, joint: int, cue: Hit, mention: Hit) -> bool:
        """Tell whether a comma or an “and” keeps a cue from what stands before."""
        word = self.tokens[joint].word
        if word in (":", "/", "."):
            return False
        if any(self._is_predicate[mention.last + 1 : joint]):
            return True
        following = self.tokens[joint + 1].word if joint + 1 < len(self.tokens) else ""
        is_last_named = not any(mention.last < hit.first and hit.last < cue.first for hit in self._named)
        if word == "," and is_last_named:
            return False
        if joint + 1 == cue.first or following in ("which", "that", "now", "since", "this", "these"):
            return any(mention.last < hit.first and hit.last < joint for hit in self._named)
        if word in (",", "-"):
            later = range(joint + 1, cue.first)
            return not any(self.tokens[place].word in ("or", "and", "nor") for place in later)
        return word == "with" and cue.meaning.kind != "denies_before"

    def _is_beside(self, state: Hit, part: Hit) -> bool:
        """Tell “normal heart” and “normal heart and mediastinum” from “normal, and the heart”."""
        if not self._in_clause(state, part) or part.first - state.last > _FARTHEST_STATE:
            return False
        between = range(state.last + 1, part.first)
        words = [self.tokens[place].word for place in between]
        if not words:
            return True
        is_list = all(
            word in _BETWEEN_STATE_AND_PART or place in self._covered
            for word, place in zip(words, between, strict=True)
        )
        has_part = any(place in self._part_places for place in between)
        return is_list and (has_part or not any(word in ("and", ",", "with", "or", "is", "are") for word in words))

    def _speaks_of(self, state: Hit, part: Hit) -> bool:
        if not self._in_clause(state, part) or state.first - part.last > _FARTHEST_STATE:
            return False
        joints = (joint for joint in self._joints if part.last < joint < state.first and self.tokens[joint].word != ":")
        for joint in joints:
            if not any(self._is_predicate[part.last + 1 : joint]):
                continue
            if any(joint < hit.first < state.first for hit in self._named):
                return False
        return True

    def _in_clause(self, cue: Hit, mention: Hit) -> bool:
        """Tell whether both stand in one clause, or the mention in brackets inside the clause of the cue."""
        clause: int | None = self._clause[mention.first]
        while clause is not None and clause != self._clause[cue.first]:
            clause = self._parent[clause]
        return clause is not None

    def _clauses(self) -> tuple[list[int], list[int | None]]:
        """Give each token the number of its clause.

        Semicolons and words such as “but” end a clause, brackets hold one of their own.
        """
        taken = {
            p for k, hits in self._cues.items() if k != "ends" and k not in CONTENT for hit in hits for p in hit.places
        }
        ends = {hit.first for hit in self._cues["ends"] if not taken & set(hit.places)}
        clause: list[int] = []
        parent: list[int | None] = [None]
        current, outer = 0, list[int]()
        for place, token in enumerate(self.tokens):
            if token.word in "([{":
                outer.append(current)
                parent.append(current)
                current = len(parent) - 1
            elif token.word == ";" or place in ends:
                parent.append(parent[current])
                current = len(parent) - 1
            clause.append(current)
            if token.word in ")]}" and outer:
                current = outer.pop()
        return clause, parent

    def _predicates(self, marks: Sequence[Hit]) -> list[bool]:
        """Mark the words that end a statement; not those inside a mention (“enlarged heart”) or right before one."""
        is_predicate = self._marked(marks, "predicates", but_not="plain_predicates")
        for hit in self._named:
            for place in hit.places:
                is_predicate[place] = False
            if hit.first and self.tokens[hit.first - 1].word not in _VERBS:
                is_predicate[hit.first - 1] = False
        return is_predicate

    def _marked(self, hits: Sequence[Hit], kind: str, but_not: str = "") -> list[bool]:
        marks = [False] * (len(self.tokens) + 2)
        for hit in sorted(hits, key=lambda hit: hit.meaning.kind == but_not):
            if hit.meaning.kind in (kind, but_not):
                for place in hit.places:
                    marks[place] = hit.meaning.kind == kind
        return marks

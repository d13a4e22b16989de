"""A file of scores: JSON lines, to which each finished piece of work is added at once."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from preddiff.errors import ResultError

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Score:
    """Result of one metric on one map.

    Attributes
    ----------
    model : its SPEC.
    weights : fingerprint of its weights; empty where it has none.
    picture : the file, as it lies in its folder.
    half : the half of the pictures that it belongs to.
    target : the class that was explained.
    contender, metric : by name.
    machine : that it was measured on, and when.
    seconds : that the map took; 0 where none was needed.
    scores : by name; empty where the metric does not apply.
    error : why there are none; empty otherwise.
    """

    model: str
    weights: str
    picture: str
    half: str
    target: int
    contender: str
    metric: str
    machine: str
    seconds: float
    scores: Mapping[str, float] = field(default_factory=dict)
    error: str = ""

    @property
    def key(self) -> Key:
        """The names that tell a score from all others of one file."""
        return self.model, self.picture, self.contender, self.metric


class ScoreFile:
    """Scores by what they are of, kept in a file that an interrupted run goes on from.

    Parameters
    ----------
    path : of the file; it need not exist.

    Raises
    ------
    ResultError
        If it is no file of scores, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scores: dict[Key, Score] = {}
        if path.exists():
            self._read()

    def __contains__(self, key: Key) -> bool:
        """Return whether a score is known; what failed is tried again."""
        return key in self.scores and not self.scores[key].error

    def add(self, score: Score) -> None:
        """Keep a score, in the file too."""
        self.scores[score.key] = score
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(score), ensure_ascii=False) + "\n")
        except OSError as error:
            raise ResultError(
                f"{self.path}: cannot be written ({error.strerror or error}); choose another file"
            ) from None

    def _read(self) -> None:
        try:
            text = self.path.read_text(encoding="utf-8")
            # A run that was killed may have left half a line, which is no score yet.
            whole = text[: text.rfind("\n") + 1]
            for line in whole.splitlines():
                score = Score(**json.loads(line))
                self.scores[score.key] = score
            if whole != text:
                self.path.write_text(whole, encoding="utf-8")
        except (OSError, UnicodeDecodeError, TypeError, ValueError) as error:
            raise ResultError(
                f"{self.path}: is no file of scores ({type(error).__name__}); expected one that "
                "`preddiff evaluate` made; choose another name"
            ) from None

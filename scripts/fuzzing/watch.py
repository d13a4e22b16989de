"""A process that reads one damaged file after the other, and what watches it."""

import contextlib
import io
import multiprocessing
import os
import re
import resource
import sys
import traceback
import unicodedata
import warnings
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

SECONDS, GIB = 10.0, 1 << 30
MOST_BYTES = 2 * GIB
"""Memory over what the process had before that reading one file may take."""
_STOP_BYTES = 6 * GIB  # where the system refuses memory, so that the machine survives
_NO_MEMORY = re.compile("MemoryError|Unable to allocate|bad_alloc|bad allocation", re.IGNORECASE)
_FORBIDDEN = {"os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect",
              "pickle.find_class"}  # fmt: skip


@dataclass
class Report:
    """What became of one file.

    Attributes
    ----------
    outcome : read, refused, traceback, hang, memory or crash.
    said : the message, the traceback, or what was noticed besides.
    notes : offences of any outcome: files elsewhere, forbidden acts, foreign warnings.
    peak : bytes of memory over what the process had before.
    """

    outcome: str
    said: str = ""
    notes: list[str] = field(default_factory=list)
    peak: int = 0

    @property
    def is_offence(self) -> bool:
        """True of everything that must not happen."""
        return self.outcome not in {"read", "refused"} or bool(self.notes)


class Watched:
    """A reading process, started anew when it hangs or dies.

    Parameters
    ----------
    kind : of the files.
    folder : in which they lie, and where it may write.
    """

    def __init__(self, kind: str, folder: Path) -> None:
        self._kind, self._folder = kind, folder
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(self._kind, str(self._folder), other), daemon=True
        )
        self._process.start()
        other.close()
        self._pipe.recv()  # ready

    def read(self, path: Path, seconds: float = SECONDS) -> Report:
        """Return what became of a file within some seconds."""
        self._pipe.send(str(path))
        try:
            if self._pipe.poll(seconds):
                report: Report = self._pipe.recv()
                return report
            outcome, said = "hang", f"no answer for {seconds:g} s"
        except EOFError:
            self._process.join(5)
            outcome, said = "crash", f"exit code {self._process.exitcode}"
        self.close()
        self._start()
        return Report(outcome, said)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def _serve(kind: str, folder: str, pipe: Connection) -> None:
    from fuzzing.readers import READERS
    from preddiff.errors import PreddiffError

    output = Path(folder).with_name("output.txt").open("w+b")
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    os.chdir(folder)
    acts: list[str] = []
    sys.addaudithook(lambda event, arguments: _audit(acts, folder, event, arguments))
    read, limited = READERS[kind], False
    pipe.send("ready")
    while True:
        path = Path(pipe.recv())
        before = _reset_peak()
        acts.clear()
        report = Report("read")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    read(path)
            except PreddiffError as error:
                report = Report("refused", str(error))
            except BaseException as error:
                report = Report("traceback", "".join(traceback.format_exception(error)))
        report.peak = _peak() - before
        report.notes = [*acts, *_foreign(told), *_printed(output)]
        pipe.send(_judged(report))
        if not limited:  # the first file is a sound one; its imports take addresses, too
            limited = True
            _limit()


def is_one_line(text: str) -> bool:
    """Return whether a text is one line without control characters and halves of characters."""
    return not any(unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} for each in text)


def _judged(report: Report) -> Report:
    if report.outcome == "refused" and not is_one_line(report.said):
        report.outcome, report.said = "traceback", f"not one printable line: {report.said!r}"
    if report.peak > MOST_BYTES or _NO_MEMORY.search(report.said):
        report.outcome = "memory"
    return report


def _audit(acts: list[str], folder: str, event: str, arguments: tuple[object, ...]) -> None:
    """Note what reading a file must not do: run, unpickle, connect, or write elsewhere."""
    if event == "open" and isinstance(arguments[0], str) and isinstance(arguments[2], int):
        writes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        place = os.path.abspath(arguments[0])  # noqa: PTH100 - links may lead anywhere
        if writes and not place.startswith((folder, "/dev/null")) and "__pycache__" not in place:
            acts.append(f"writes {place}")
    elif event in _FORBIDDEN:
        acts.append(f"{event} {arguments!r:.200}")


def _foreign(told: list[warnings.WarningMessage]) -> list[str]:
    """Return the warnings that are not the package's own."""
    from preddiff.errors import EngineWarning, InputWarning

    own = (EngineWarning, InputWarning)
    return [f"{w.category.__name__}: {w.message} ({w.filename}:{w.lineno})" for w in told
            if not issubclass(w.category, own) or not is_one_line(str(w.message))]  # fmt: skip


def _printed(output: io.BufferedRandom) -> list[str]:
    output.seek(0)
    text = output.read().decode(errors="replace").strip()
    output.seek(0)
    output.truncate()
    return [f"printed: {text[:500]}"] if text else []


def _limit() -> None:
    most = _status("VmSize") + _STOP_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _reset_peak() -> int:
    """Let Linux count the peak anew (proc(5), clear_refs), and return what there is now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(re.findall(rf"{name}:\s+(\d+) kB", text)[0]) * 1024

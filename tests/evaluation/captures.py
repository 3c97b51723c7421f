"""Captures and truths of meshsim, and what is worked out from them alone: made once, and kept for other programs."""
import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import subprocess

import corescope_rule
import opportunity
from receptions import read_transmissions
from truth import Truth

_HERE = pathlib.Path(__file__).resolve().parent
_READERS = ("receptions.py", "corescope_rule.py", "opportunity.py", "truth.py")


def _digest(*files):
    digest = hashlib.sha256()
    for file in files:
        digest.update(pathlib.Path(file).read_bytes())
    return digest.hexdigest()[:12]


@dataclasses.dataclass(frozen=True)
class Reading:
    """What the capture says without the programs: the baseline's labels and each relay's opportunity, by node."""
    labels: dict
    opportunity: dict


class Captures:
    """The captures of one meshsim. Two evaluations may share a folder."""

    def __init__(self, meshsim, folder):
        self._meshsim = pathlib.Path(meshsim).resolve()
        self._folder = pathlib.Path(folder).resolve() / _digest(self._meshsim)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._readers = _digest(*(_HERE / name for name in _READERS))

    def capture(self, case):
        """(capture file, Truth) of a case."""
        files = self._made(case, ())
        return files[0], Truth(files[1])

    def truth(self, case, *more):
        """The truth alone, of the case with more arguments. The capture of such a run is not kept."""
        return Truth(self._made(case, more)[1])

    def reading(self, case):
        """What the capture says without the programs."""
        capture, truth = self.capture(case)
        kept = pathlib.Path(f"{capture}.{self._readers}.reading.json")
        with self._alone(case, ("reading",)):
            if not kept.exists():
                transmissions = read_transmissions(capture)
                advertised = [key for key, node in truth.nodes.items() if node.advertised]
                _write(kept, {"labels": corescope_rule.labels(transmissions, advertised),
                              "opportunity": opportunity.opportunities(transmissions, truth)})
        return Reading(**json.loads(kept.read_text(encoding="utf-8")))

    def _stem(self, case, more):
        arguments = [*case.arguments, *map(str, more)]
        name = hashlib.sha256(json.dumps(arguments).encode()).hexdigest()[:12]
        return arguments, self._folder / f"{case.seed}-{name}"

    def _made(self, case, more):
        arguments, stem = self._stem(case, more)
        capture, truth = pathlib.Path(f"{stem}.jsonl"), pathlib.Path(f"{stem}.truth.json")
        with self._alone(case, more):
            if not truth.exists() or not (more or capture.exists()):
                making = f"{stem}.making"
                out = "/dev/null" if more else making
                done = subprocess.run([self._meshsim, *arguments, "--out", out, "--truth", f"{making}.truth"],
                                      capture_output=True, text=True, check=False)
                if done.returncode != 0:
                    raise RuntimeError(f"meshsim {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
                if not more:
                    os.replace(making, capture)
                os.replace(f"{making}.truth", truth)
        return capture, truth

    @contextlib.contextmanager
    def _alone(self, case, more):
        with open(f"{self._stem(case, more)[1]}.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _write(path, document):
    unfinished = f"{path}.{os.getpid()}"
    with open(unfinished, "w", encoding="utf-8") as file:
        json.dump(document, file)
    os.replace(unfinished, path)

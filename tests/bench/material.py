"""What is worked on: captures of meshsim, and the databases that the ingestor makes of them. Kept between runs."""
import contextlib
import json
import pathlib
import shutil
import sqlite3
import tempfile

from processes import run

SPREADS = ("16", "4.6", "1")  # observations a transmission


class Material:
    def __init__(self, programs, folder, messages, nodes):
        self._programs = programs
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._messages = messages
        self._nodes = nodes

    @contextlib.contextmanager
    def scratch(self):
        """A folder that vanishes afterwards, on the same disk."""
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.folder) as folder:
            yield pathlib.Path(folder)

    def capture(self, spread):
        """(file, messages) of the capture with so many observations a transmission; 20 % of these are adverts."""
        # Few observations a transmission take long to make up: a fifth of the messages is enough there.
        messages = self._messages if spread == "16" else self._messages // 5
        observers = {"16": self._nodes // 10, "4.6": self._nodes // 20, "1": self._nodes // 50}[spread]
        name = f"capture-{spread}-{messages}-{self._nodes}"
        file, made = self.folder / f"{name}.jsonl", self.folder / f"{name}.made"
        if not made.exists():
            needed = messages * 900
            if shutil.disk_usage(self.folder).free < 2 * needed:
                raise RuntimeError(f"{self.folder} needs {2 * needed >> 20} MB of free space; name another with --work")
            run([self._programs["meshsim"], "--messages", messages, "--nodes", self._nodes, "--observers", observers,
                 "--observations-per-transmission", spread, "--advert-share", 0.2, "--out", file])
            with open(file, "rb") as lines:
                made.write_text(str(sum(1 for _ in lines)))
        return file, int(made.read_text())

    def import_into(self, data, capture):
        return run([self._programs["heliograph-ingestor"], "run", "--data", data, "--capture", capture, "--once"])

    def volume(self, spread):
        """A volume with the whole capture and the capability of all nodes in it. Only to be read, or copied."""
        capture, messages = self.capture(spread)
        builder = self._programs["heliograph-ingestor"].stat()
        stamp = json.dumps([builder.st_mtime, builder.st_size])
        data = self.folder / f"volume-{spread}-{messages}-{self._nodes}"
        mark = data / "made"
        if not mark.exists() or mark.read_text() != stamp:
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir()
            self.import_into(data, capture)
            run([self._programs["heliograph-server"], "analyze", "--data", data])
            run([self._programs["heliograph-ingestor"], "apply", "--data", data])
            mark.write_text(stamp)
        return data


def database_of(data):
    return pathlib.Path(data) / "db" / "heliograph.db"


@contextlib.contextmanager
def reading(data):
    """A connection that reads the volume's database."""
    connection = sqlite3.connect(f"file:{database_of(data)}?mode=ro", uri=True)
    try:
        yield connection
    finally:
        connection.close()


def ask(data, sql, *values):
    """The first value of the first row."""
    with reading(data) as connection:
        return connection.execute(sql, values).fetchone()[0]


def copy_volume(source, target):
    """A copy to write into, without what was waiting in the queue."""
    (target / "db").mkdir(parents=True)
    for file in (source / "db").iterdir():
        if file.name != "ingestor.lock":
            shutil.copyfile(file, target / "db" / file.name)
    return target

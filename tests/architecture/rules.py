"""The rules of the architecture. Each takes a Tree and yields one line for each violation: where, what, and what to do."""
import os
import re
import subprocess

import source_text

FOLDERS = ("common", "dbschema", "queue", "ingestor", "server", "tests")

# The table "Folders: one room for each concern" of the design.
MAY_INCLUDE = {
    "common": {"common"},
    "dbschema": {"common", "dbschema"},
    "queue": {"common", "queue"},
    "ingestor": {"common", "dbschema", "queue", "ingestor"},
    "server": {"common", "dbschema", "queue", "server"},
    "tests": set(FOLDERS),
}

# Of dbschema the server sees the read side alone.
WRITE_SIDE = {"dbschema/migrate.h", "dbschema/data_move.h"}

# Parts of others that belong to one concern: the header, and the folders that may see it.
PARTS = {
    r"(sqlite3(ext)?\.h|SQLiteCpp/.*)": {"dbschema", "ingestor", "server", "tests"},
    r"(mqtt/.*|MQTT\w*\.h)": {"ingestor", "tests"},
    r"httplib\.h": {"server", "tests"},
    r"igraph.*": {"server", "tests"},
    r"(gtest|gmock|rapidcheck|benchmark)(/.*|\.h)": {"tests"},
}

MAY_WRITE_SQL = {"dbschema", "ingestor", "tests"}
MAY_OPEN_READ_WRITE = {"dbschema", "tests"}
MAX_LINES = 600

CPP = (".h", ".hpp", ".cpp", ".cc", ".inc")
SCRIPTS = (".py", ".sh", ".js", ".mjs")
SOURCES = CPP + SCRIPTS + (".sql", ".css", ".html", ".cmake", "CMakeLists.txt")


class Tree:
    """The files below `root` that git tracks or would track; without git, all but build folders."""

    def __init__(self, root):
        self.root = os.path.realpath(root)
        self.files = sorted(path for path in self._listed() if os.path.isfile(os.path.join(self.root, path)))
        if not self.files:
            raise SystemExit(f"check_architecture: no files below {self.root}: nothing would be checked")

    def _listed(self):
        git = subprocess.run(
            ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=False)
        if git.returncode == 0:
            return {name for name in git.stdout.decode().split("\0") if name}
        return self._walked()

    def _walked(self):
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = [name for name in subfolders if name not in (".git", "build", "__pycache__")]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def text(self, path):
        """The file's text, or None when it is not UTF-8 text."""
        with open(os.path.join(self.root, path), "rb") as file:
            data = file.read()
        if b"\0" in data:
            return None
        try:
            return data.decode()
        except UnicodeDecodeError:
            return None

    def texts(self, endings=("",)):
        """(path, text) of each text file whose name has one of the endings; parts of others (vendor/) are left out."""
        for path in self.files:
            if path.endswith(endings) and "vendor" not in path.split("/"):
                text = self.text(path)
                if text is not None:
                    yield path, text


def folder_of(path):
    return path.split("/", 1)[0] if "/" in path else ""


def includes(tree):
    for path, text in tree.texts(CPP):
        own = folder_of(path)
        if own not in MAY_INCLUDE:
            yield f"{path}: C++ outside the folders {', '.join(FOLDERS)}; give it a room in the table first"
            continue
        for line, name, is_quoted in source_text.includes(text):
            if ".." in name.split("/"):
                yield f"{path}:{line}: includes \"{name}\"; write it from the root of the repository"
            target = folder_of(name) or (own if is_quoted else "")
            if target in FOLDERS and target not in MAY_INCLUDE[own]:
                allowed = ", ".join(sorted(MAY_INCLUDE[own]))
                yield f"{path}:{line}: {own}/ may not include {target}/ (\"{name}\"); it may include {allowed}"
            if own == "server" and name in WRITE_SIDE:
                yield f"{path}:{line}: server/ sees the read side of dbschema/ alone, not {name}"


def links(tree):
    target = re.compile(r"(?<![\w-])heliograph_(" + "|".join(FOLDERS) + r")(?![\w-])")
    for path, text in tree.texts(("CMakeLists.txt", ".cmake")):
        own = folder_of(path)
        if own not in MAY_INCLUDE:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for match in target.finditer(line.split("#", 1)[0]):
                if match[1] not in MAY_INCLUDE[own]:
                    yield f"{path}:{number}: {own}/ may not link {match[0]}"


def parts(tree):
    for path, text in tree.texts(CPP):
        for line, name, _ in source_text.includes(text):
            for header, allowed in PARTS.items():
                if re.fullmatch(header, name) and folder_of(path) not in allowed:
                    yield f"{path}:{line}: {name} belongs to {', '.join(sorted(allowed))}"


_HARMLESS_PRAGMAS = (
    "analysis_limit|application_id|automatic_index|busy_timeout|cache_size|cache_spill|case_sensitive_like|"
    "cell_size_check|collation_list|compile_options|data_version|database_list|defer_foreign_keys|foreign_key_check|"
    "foreign_keys|freelist_count|function_list|hard_heap_limit|index_info|index_list|index_xinfo|integrity_check|"
    "journal_mode|mmap_size|page_count|page_size|pragma_list|query_only|quick_check|read_uncommitted|"
    "recursive_triggers|schema_version|soft_heap_limit|table_info|table_list|table_xinfo|temp_store|threads|trusted_schema|"
    "user_version")
_WRITING_SQL = re.compile(
    r"""
      \b(?i:INSERT\s+(?:OR\s+\w+\s+)?INTO|REPLACE\s+INTO|DELETE\s+FROM)\b
    | \b(?i:UPDATE\s+(?:OR\s+\w+\s+)?[\w.\"]+\s+SET)\b
    | \b(?i:(?:CREATE|DROP|ALTER)\s+(?:TEMP\s+|TEMPORARY\s+|UNIQUE\s+|VIRTUAL\s+)*(?:TABLE|INDEX|VIEW|TRIGGER))\b
    | \b(?i:ATTACH\s+(?:DATABASE\s+)?['?:@$])
    | ^\s*(?:INSERT|REPLACE|UPDATE|DELETE|VACUUM|REINDEX|ANALYZE)(?:\s+[^\s/]|\s*;|\s+$)
    | ^\s*VACUUM\s*$
    | \b(?i:PRAGMA)\s+(?:\w+\.)?(?!(?i:"""
    + _HARMLESS_PRAGMAS
    + r""")\b)\w+
    | \b(?i:PRAGMA)\s+(?:\w+\.)?(?i:application_id|journal_mode|page_size|schema_version|user_version)\s*[=(]
    """,
    re.VERBOSE)


def writing_sql(tree):
    for path, text in tree.texts(CPP + SCRIPTS + (".sql",)):
        if folder_of(path) in MAY_WRITE_SQL:
            continue
        if path.endswith(".sql"):
            yield f"{path}: SQL files live under dbschema/ and ingestor/"
            continue
        for line, content in source_text.string_literals(text) if path.endswith(CPP) else [(1, text)]:
            match = _WRITING_SQL.search(content)
            if match:
                yield f"{path}:{line}: SQL that writes ({match[0].strip()!r}) outside dbschema/ and ingestor/"


_READ_WRITE = re.compile(r"\b(?:SQLITE_)?OPEN_(?:READWRITE|CREATE)\b|\bsqlite3_open(?:16)?\s*\(")
_OPENS_FOR_WRITING = re.compile(r"\bOpenForWriting\b")
_READ_WRITE_URI = re.compile(r"\bmode=rwc?\b")


def read_write_handles(tree):
    for path, text in tree.texts(CPP):
        if folder_of(path) in MAY_OPEN_READ_WRITE:
            continue
        for number, line in enumerate(source_text.without_comments_and_literals(text).splitlines(), 1):
            match = _READ_WRITE.search(line)
            if _OPENS_FOR_WRITING.search(line) and folder_of(path) != "ingestor":
                yield f"{path}:{number}: OpenForWriting outside ingestor/, the one process that writes"
            if match:
                yield f"{path}:{number}: {match[0]} outside dbschema/, which alone opens the database read-write"
        for number, content in source_text.string_literals(text):
            if _READ_WRITE_URI.search(content):
                yield f"{path}:{number}: opens with mode=rw outside dbschema/, which alone opens the database read-write"


def file_length(tree):
    for path, text in tree.texts(SOURCES):
        count = len(text.splitlines())
        if count > MAX_LINES:
            yield f"{path}: {count} lines, more than {MAX_LINES}; one idea each"


_MACHINE_PATH = re.compile(
    r"(?<![\w.$}~/-])(?:/(?:home|Users)/\w[\w.-]*/|/root/\w|/work/\w|/tmp/build-\w|[A-Za-z]:\\Users\\\w)")


def machine_paths(tree):
    here = tree.root if tree.root.count("/") >= 2 else None
    for path, text in tree.texts():
        for number, line in enumerate(text.splitlines(), 1):
            match = _MACHINE_PATH.search(line)
            found = match[0] if match else (here if here and re.search(re.escape(here) + r"(?![\w-])", line) else None)
            if found:
                yield f"{path}:{number}: a path of one machine ({found}); make it relative"


ALL = {rule.__name__: rule
       for rule in (includes, links, parts, writing_sql, read_write_handles, file_length, machine_paths)}

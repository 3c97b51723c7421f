"""Each rule is shown a planted violation and the lawful neighbour of it."""
import os
import re
import tempfile
import unittest

import rules


def violations(rule, files):
    with tempfile.TemporaryDirectory() as root:
        for path, content in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
            with open(os.path.join(root, path), "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        return list(rule(rules.Tree(root)))


class RuleTest(unittest.TestCase):
    def assert_breaks(self, rule, path, content, mention=""):
        found = violations(rule, {path: content})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(path), found)
        self.assertIn(mention, found[0])

    def assert_lawful(self, rule, path, content):
        self.assertEqual(violations(rule, {path: content}), [])


class Includes(RuleTest):
    def test_the_two_processes_never_include_each_other(self):
        self.assert_breaks(rules.includes, "server/a.cpp", '#include "ingestor/writer.h"\n', "ingestor/")
        self.assert_breaks(rules.includes, "ingestor/a.h", '\n#  include <server/reader.h>\n', ":2:")

    def test_common_sees_only_itself(self):
        self.assert_breaks(rules.includes, "common/a.h", '#include "dbschema/database.h"\n')
        self.assert_breaks(rules.includes, "queue/a.h", '#include "dbschema/database.h"\n')
        self.assert_lawful(rules.includes, "common/a.h", '#include "common/b.h"\n#include "near.h"\n#include <vector>\n')

    def test_nothing_includes_the_tests(self):
        self.assert_breaks(rules.includes, "queue/a.cpp", '#include "tests/support.h"\n')
        self.assert_lawful(rules.includes, "tests/a.cpp", '#include "server/a.h"\n#include "ingestor/b.h"\n')

    def test_the_server_sees_the_read_side_of_the_schema_alone(self):
        self.assert_breaks(rules.includes, "server/a.cpp", '#include "dbschema/migrate.h"\n', "read side")
        self.assert_lawful(rules.includes, "server/a.cpp", '#include "dbschema/readiness.h"\n')
        self.assert_lawful(rules.includes, "ingestor/a.cpp", '#include "dbschema/migrate.h"\n')

    def test_paths_that_climb_are_refused(self):
        self.assert_breaks(rules.includes, "server/a.cpp", '#include "../ingestor/writer.h"\n', "root")

    def test_a_folder_without_a_room_is_refused(self):
        self.assert_breaks(rules.includes, "misc/a.cpp", "int a;\n", "room")

    def test_comments_are_no_includes(self):
        self.assert_lawful(rules.includes, "server/a.cpp", '// #include "ingestor/a.h"\n/*\n#include "ingestor/b.h"\n*/\n')


class Links(RuleTest):
    def test_a_link_outside_the_table_is_refused(self):
        cmake = "heliograph_component(\n  queue\n  SOURCES a.cpp\n  LINKS heliograph_common heliograph_dbschema)\n"
        self.assert_breaks(rules.links, "queue/CMakeLists.txt", cmake, "heliograph_dbschema")
        self.assert_breaks(rules.links, "server/web/CMakeLists.txt", "target_link_libraries(a heliograph_ingestor)\n")

    def test_lawful_links_and_programs_pass(self):
        cmake = "heliograph_component(server LINKS heliograph_dbschema) # not heliograph_ingestor\n" \
                "add_executable(heliograph-server main.cpp)\n"
        self.assert_lawful(rules.links, "server/CMakeLists.txt", cmake)


class Parts(RuleTest):
    def test_each_part_stays_in_its_rooms(self):
        self.assert_breaks(rules.parts, "common/a.cpp", "#include <sqlite3.h>\n")
        self.assert_breaks(rules.parts, "ingestor/a.cpp", "#include <httplib.h>\n")
        self.assert_breaks(rules.parts, "server/a.cpp", "#include <mqtt/async_client.h>\n")
        self.assert_breaks(rules.parts, "server/a.cpp", "#include <gtest/gtest.h>\n")
        self.assert_lawful(rules.parts, "ingestor/a.cpp", "#include <mqtt/async_client.h>\n#include <sqlite3.h>\n")


class WritingSql(RuleTest):
    def test_statements_that_write_are_found(self):
        for sql in ("INSERT INTO nodes VALUES (1)", "insert or ignore into nodes values (1)", "REPLACE INTO nodes",
                    "UPDATE nodes SET a = 1", "update or replace nodes\\n set a = 1", "DELETE FROM nodes",
                    "CREATE TABLE a (b)", "CREATE TEMP VIEW a", "drop index a", "ALTER TABLE a ADD b", "VACUUM",
                    "VACUUM INTO 'a.db'", "PRAGMA journal_mode = DELETE", "PRAGMA wal_checkpoint(TRUNCATE)",
                    "pragma main.user_version=3", "PRAGMA schema_version = 1", "PRAGMA optimize", "ATTACH 'a.db' AS b"):
            with self.subTest(sql=sql):
                self.assert_breaks(rules.writing_sql, "server/a.cpp", f'auto a = db.Run("{sql}");\n', ":1:")

    def test_literals_that_the_compiler_joins_are_read_as_one(self):
        self.assert_breaks(rules.writing_sql, "server/a.cpp", 'f("DELETE "  // a comment\n  "FROM nodes");\n')
        self.assert_breaks(rules.writing_sql, "queue/a.cpp", 'f(R"sql(\nUPDATE nodes\nSET a = ")"\n)sql");\n')
        self.assert_breaks(rules.writing_sql, "server/a.cpp", 'f("UPDATE " + table + " SET a = 1");\n')

    def test_readers_and_words_pass(self):
        for text in ("SELECT a FROM nodes WHERE b = 'x'", "PRAGMA query_only = ON", "PRAGMA busy_timeout = 200",
                     "PRAGMA table_info(nodes)", "PRAGMA user_version", "PRAGMA schema_version", "DELETE", "DELETE /api/cluster-jobs/{id}",
                     "cannot create the table of contents", "update the node", "insert the key"):
            with self.subTest(text=text):
                self.assert_lawful(rules.writing_sql, "server/a.cpp", f'auto a = f("{text}");\n')
        self.assert_lawful(rules.writing_sql, "server/a.cpp", "// DELETE FROM nodes\nint a = 1'000;\nchar b = '\"';\n")

    def test_the_rooms_that_may_write_pass(self):
        for folder in ("dbschema", "ingestor", "tests"):
            self.assert_lawful(rules.writing_sql, f"{folder}/a.cpp", 'f("DELETE FROM nodes");\n')
            self.assert_lawful(rules.writing_sql, f"{folder}/migrations/1.sql", "CREATE TABLE a (b);\n")

    def test_scripts_and_sql_files_count_too(self):
        self.assert_breaks(rules.writing_sql, "deploy/a.sh", "sqlite3 a.db 'DELETE FROM nodes'\n")
        self.assert_breaks(rules.writing_sql, "server/a.sql", "SELECT 1;\n")


class ReadWriteHandles(RuleTest):
    def test_only_dbschema_opens_for_writing(self):
        self.assert_breaks(rules.read_write_handles, "ingestor/a.cpp", "Open(p, SQLITE_OPEN_READWRITE);\n")
        self.assert_breaks(rules.read_write_handles, "server/a.cpp", "Open(p, SQLite::OPEN_CREATE);\n")
        self.assert_breaks(rules.read_write_handles, "server/a.cpp", "sqlite3_open(p, &db);\n")
        self.assert_breaks(rules.read_write_handles, "server/a.cpp", 'Open("file:a?mode=rw");\n')
        self.assert_lawful(rules.read_write_handles, "dbschema/a.cpp", "Open(p, SQLITE_OPEN_READWRITE);\n")

    def test_only_the_ingestor_asks_for_the_writing_handle(self):
        self.assert_breaks(rules.read_write_handles, "server/a.cpp", "auto db = dbschema::OpenForWriting(file);\n")
        self.assert_lawful(rules.read_write_handles, "ingestor/a.cpp", "auto db = dbschema::OpenForWriting(file);\n")

    def test_readers_and_comments_pass(self):
        code = '// never OPEN_READWRITE\nsqlite3_open_v2(p, &db, SQLITE_OPEN_READONLY, nullptr);\nf("file:a?mode=ro");\n'
        self.assert_lawful(rules.read_write_handles, "server/a.cpp", code)


class FileLength(RuleTest):
    def test_six_hundred_lines_are_the_end(self):
        self.assert_breaks(rules.file_length, "server/a.cpp", "\n" * 601)
        self.assert_breaks(rules.file_length, "deploy/a.sh", "\n" * 601)
        self.assert_lawful(rules.file_length, "server/a.cpp", "\n" * 600)
        self.assert_lawful(rules.file_length, "server/web/vendor/leaflet.js", "\n" * 601)


class MachinePaths(RuleTest):
    def test_paths_of_a_developer_are_found(self):
        for prefix in ("/home", "/Users"):
            self.assert_breaks(rules.machine_paths, "README.md", f"see {prefix}/ada/mesh/a.db\n", ":1:")
        self.assert_breaks(rules.machine_paths, "tests/a.json", '{"p": "/' + 'root/mesh"}\n')
        self.assert_breaks(rules.machine_paths, "tests/a.json", '{"p": "/' + 'work/mesh"}\n')

    def test_the_checkout_itself_is_found(self):
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, "notes.md"), "w", encoding="utf-8") as file:
                file.write(f"built in {os.path.realpath(root)}/build\n")
            self.assertEqual(len(list(rules.machine_paths(rules.Tree(root)))), 1)

    def test_paths_of_every_machine_pass(self):
        text = "/usr/bin/env /var/lib/heliograph /home https://example.org/home/page/ $HOME/x\n"
        self.assert_lawful(rules.machine_paths, "README.md", text)
        found = violations(rules.machine_paths, {"a.txt": "", "a.db": b"\0/home" + b"/ada/x"})
        self.assertEqual(found, [])


class Registration(unittest.TestCase):
    def test_every_rule_is_run(self):
        with open(os.path.join(os.path.dirname(__file__), "CMakeLists.txt"), encoding="utf-8") as file:
            registered = re.search(r"foreach\(rule ([\w\s]+)\)", file.read())[1].split()
        self.assertEqual(sorted(registered), sorted(rules.ALL))


class EmptyTree(unittest.TestCase):
    def test_a_tree_without_files_is_an_error(self):
        with self.assertRaises(SystemExit):
            violations(rules.includes, {})


if __name__ == "__main__":
    unittest.main()

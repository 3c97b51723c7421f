#!/usr/bin/env python3
"""error_test.py FOLDER_OF_THE_PROGRAMS: at each failpoint an error of the disk instead of a kill."""
import collections
import json

import cases
import database_state
import mesh_packets
import queue_publisher
from crash_case import APPLICATION, CrashCase, Place, places
from scenario import GoldenRun, suspected

# At the start, and after the commit when the source has not been told yet: the program gives up and says why.
FATAL = {"ingestor_opened", "migration_middle", "packets_after_commit"}


def fates(state):
    """{id: outcome}. A state that had to wait until a newer one was applied is late instead of superseded."""
    rows = map(json.loads, state["ledger"])
    return {row["id"]: {"stale": "superseded"}.get(row["outcome"], row["outcome"]) for row in rows}


def events(state):
    """How often the feed tells what of whom, whatever the order."""
    rows = map(json.loads, state["change_log"])
    return collections.Counter((row["kind"], "" if row["kind"] == "commit" else row["entity_id"]) for row in rows)


def capability(state):
    rows = [json.loads(row) for row in state["node_capability"]]
    return sorted(json.dumps({name: row[name] for name in row if name != "from_seq"}, sort_keys=True)
                  for row in rows if row["to_seq"] is None)


def compare_whatever_the_order(case):
    state = database_state.read_volume(case.volume)
    for what in (fates, events, capability):
        case.expect(what(state) == what(case.step.state), f"{what.__name__}: {what(state)}\n"
                    f"and without an error: {what(case.step.state)}")
    for table in ("observations", "transmissions", "nodes", "inactive_nodes"):
        strip = lambda rows: [{n: v for n, v in json.loads(row).items() if n != "revision"} for row in rows]
        case.expect(strip(state[table]) == strip(case.step.state[table]), f"{table} is not as without an error")


def faults_after_error(golden, step, place):
    with CrashCase(golden, step) as case:
        before = set(database_state.queue_listing(case.volume)) if step.state_before else set()
        ending = case.run(place.order("error"))
        case.expect(ending.code == (1 if place.point in FATAL else 0), f"another end than expected: {ending}")
        case.expect(place.point in ending.passed, f"it never came to {place}")
        case.expect("failpoint " + place.point in ending.output, f"nobody is told of the error: {ending}")
        if place.point == "packets_before_commit":
            case.compare_with_golden("after the batch was tried again")
        expect_file_to_wait(case, place, before)
        ending = case.run()
        case.expect(ending.code == 0, f"the run after the error failed: {ending}")
        if len(step.files) <= 1 and not (step.files and step.capture):
            case.compare_with_golden("after the run that follows the error")
        else:
            compare_whatever_the_order(case)
        with database_state.opened(database_state.database_of(case.volume)) as database:
            case.faults += database_state.page_faults(database) + database_state.feed_faults(database)
        case.expect(not any(name.startswith("new/") for name in database_state.queue_listing(case.volume)),
                    "a file is left in the queue")
        return case.faults


def expect_file_to_wait(case, place, before):
    """What was rolled back left no trace: its file waits, or was done by the next try of the same run. The others went on."""
    if not place.point.startswith(APPLICATION) or not case.step.files:
        return
    waiting = {name for name in database_state.queue_listing(case.volume) if name.startswith("new/")}
    case.expect(len(waiting) <= 1 and waiting <= before, f"more than the file of the error waits: {waiting}")
    known = {json.loads(row)["id"] for row in database_state.read_volume(case.volume)["ledger"]}
    recorded = place.point in ("apply_after_commit", "apply_after_unlink", "refuse_after_commit", "refuse_after_quarantine")
    gone = place.point in ("apply_after_unlink", "refuse_after_quarantine")
    case.expect(len(waiting) <= (0 if gone else 1), f"waiting are {waiting}")
    for file in case.step.files:
        waits = f"new/{file.name}" in waiting
        case.expect((file.ledger_id in known) == (recorded or not waits),
                    f"{file.name} {'waits' if waits else 'is gone'}, and the ledger says otherwise")


def probability_of(volume, number):
    with database_state.opened(database_state.database_of(volume)) as database:
        return database.execute(
            "SELECT c.probability FROM node_capability AS c JOIN identity AS i ON i.key=c.node_key"
            " WHERE c.to_seq IS NULL AND lower(hex(i.public_key))=?", [mesh_packets.public_key(number)]).fetchone()[0]


def two_states_of_one_watermark(golden, failpoint, newer_payload, expected):
    """Two states wait, and the first of them meets the failpoint, if any. Which one holds in the end?"""
    with CrashCase(golden, golden.step("first snapshot")) as case:
        case.run()
        queue = golden.queue_for(case.volume)
        mark = queue.watermark()
        for payload in (queue_publisher.snapshot([suspected(3, 0.9)]), newer_payload):
            queue_publisher.publish(case.volume, queue.file("multibyte-snapshot", payload, watermark=mark))
        case.run(failpoint)
        case.run()
        found = probability_of(case.volume, 3)
        case.expect(found == expected, f"the probability is {found}, and {expected} was said last")
        return case.faults


def an_older_state_undoes_a_newer_one(golden):
    newer = queue_publisher.snapshot([suspected(3, 0.6)])
    return two_states_of_one_watermark(golden, "apply_before_commit:1:error", newer, 60)


def a_refused_state_supersedes_a_good_one(golden):
    return two_states_of_one_watermark(golden, None, b'{"nodes":7}', 90)


def cases_of(programs, room, pool):
    golden = GoldenRun(programs, room)
    trials = [(step, place, pool.submit(faults_after_error, golden, step, place))
              for step in golden.steps for place in places(step.passed)]
    for step, place, future in trials:
        yield cases.Case(f"{step.name}: an error at {place} is rolled back, and what failed is done later",
                         lambda future=future: future.result())
    yield cases.Case("a state that had to wait for the disk does not undo the newer one behind it",
                     lambda: an_older_state_undoes_a_newer_one(golden))
    yield cases.Case("a state is not given up for a newer one that is refused",
                     lambda: a_refused_state_supersedes_a_good_one(golden))


if __name__ == "__main__":
    cases.main(cases_of)

#!/usr/bin/env python3
"""soak.py FOLDER_OF_THE_PROGRAMS [--kills N] [--snapshots N] [--seed N]: the ingestor and the server on one volume, each of
them killed with -9 again and again, at any moment, also while they start.

Packets flow into the ingestor, which gets them again from where the last look found them stored, and a little before. People
ask the server for jobs, corrections, pins and branches. Whenever the server is dead, this test takes its place at the queue
and publishes states and cluster runs of its own. A consumer follows the feed and goes on from its cursor, and an onlooker
reads the database all the time. In the end nothing is lost, doubled, reordered or half there.
"""
import argparse
import collections
import math
import os
import pathlib
import random
import sys
import time

import programs as programs_module
from feed_follower import FeedFollower
from soak_pair import Pair
from soak_traffic import Asker, Onlooker, Publications, producer_lock
from soak_verdict import faults_in_the_end, figures

LONGEST_LIFE = 1.6  # seconds between two deaths, of either
LONGEST_WAIT = 0.2  # seconds from one publication to the next
TELL_EVERY = 100  # deaths
WHOLE_LOOK = 25  # deaths of the ingestor from one look at every page to the next


class Soak:

    def __init__(self, programs, room, seed, kills, snapshots):
        self.random = random.Random(seed)
        self.kills, self.snapshots = kills, snapshots
        self.pair = Pair(programs, room)
        self.publications = Publications(self.pair.volume, self.random)
        self.follower = FeedFollower(self.pair.port, seed)
        self.asker = Asker(self.pair.port, lambda: self.follower.commit, seed)
        self.onlooker = Onlooker(self.pair.volume)
        self.deaths = collections.Counter({"ingestor": 0, "server": 0})
        self._told = 0
        self.at_work = 0  # deaths of the ingestor that left files in the queue
        self.seen = set()  # names of queue files that were waiting at some moment

    @property
    def _kills_left(self):
        return self.kills - self.deaths.total()

    def _faults(self):
        return [fault for part in (self.pair, self.follower, self.asker, self.onlooker) for fault in part.faults]

    def run(self):
        self.pair.start_ingestor()
        self.pair.start_server()
        for helper in (self.follower, self.asker, self.onlooker):
            helper.start()
        self.pair.wait_for_the_first_packet()
        while self._kills_left > 0 and not self._faults():
            time.sleep(self.random.uniform(0, LONGEST_LIFE))
            # The last one is the server's, so that there is a place for all publications.
            if self._kills_left > 1 and self.random.random() < 0.4:
                self._kill_ingestor()
            else:
                self._kill_server()
            if self.deaths.total() >= self._told + TELL_EVERY:
                self._told = self.deaths.total()
                print(f"{self._told} deaths, {self.publications.snapshots} snapshots", flush=True)
        self.asker.end()
        if not self._faults():
            self.pair.come_to_rest(self.follower)
        for helper in (self.follower, self.onlooker):
            helper.end()
        if not self._faults():
            self.pair.stop()
        return self._faults() or faults_in_the_end(self)

    def _kill_ingestor(self):
        self.deaths["ingestor"] += 1
        self.pair.kill_ingestor(whole_look=self.deaths["ingestor"] % WHOLE_LOOK == 0)
        self.at_work += bool(self.pair.waiting())
        self.seen |= self.pair.waiting()
        self.pair.start_ingestor()

    def _kill_server(self):
        self.deaths["server"] += 1
        self.pair.kill_server()
        self.seen |= self.pair.waiting()
        self._publish_in_its_place()
        self.pair.start_server()

    def _publish_in_its_place(self):
        """A share of the snapshots that are left, and the ingestor may die among them."""
        deaths_to_come = self._kills_left * 0.5
        count = math.ceil((self.snapshots - self.publications.snapshots) / (1 + deaths_to_come))
        death = self.random.randrange(2 * count + 1) if self._kills_left > 1 else None
        with producer_lock(self.pair.volume):
            self.publications.go_on_from_the_last_number()
            for number in range(count):
                self.publications.publish_snapshot()
                if self.random.random() < 0.02:
                    self.publications.publish_torn()
                if self.random.random() < 0.05:
                    self.publications.publish_packet()
                if number == death:
                    self._kill_ingestor()
                if self.random.random() < 0.7:  # else one more comes at once
                    self.publications.wait_until_applied(LONGEST_WAIT)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--snapshots", type=int, help="10 for each kill, unless told otherwise")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    arguments = parser.parse_args()
    snapshots = arguments.snapshots or 10 * arguments.kills
    print(f"{arguments.kills} kills over {snapshots} snapshots, seed {arguments.seed}", flush=True)
    begin = time.monotonic()
    with programs_module.scratch("soak") as room:
        programs = programs_module.Programs(arguments.programs)
        soak = Soak(programs, pathlib.Path(room), arguments.seed, arguments.kills, snapshots)
        try:
            faults = soak.run()
        finally:
            soak.pair.close()
        print(*figures(soak), f"{time.monotonic() - begin:.0f} s", sep="\n")
        if faults:
            print(soak.pair.last_words())
    for fault in faults[:50]:
        print("FAULT", fault)
    print("FAILED" if faults else "nothing is lost, doubled, reordered or half there")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Communities of a simulated mesh through the whole pair: found, followed, corrected, and their jobs under kill -9:
clusters.py [FOLDER_OF_THE_PROGRAMS]."""
import os
import subprocess

from support.observatory import Observatory
from support.programs import eventually, main, programs_folder

KEY = "a-key-that-only-tests-have"
FINISHED = ("succeeded", "failed", "cancelled")


class Clusters(Observatory):

    def setUp(self):
        super().setUp()
        self.write_config({"analytics": {"intervalSeconds": 2}, "clusters": {"intervalSeconds": 3600}})
        capture = self.path("capture.jsonl")
        subprocess.run([os.path.join(programs_folder(), "meshsim"), "--seed", "5", "--nodes", "150", "--messages", "30000",
                        "--out", capture], check=True, capture_output=True)
        self.expect(0, "ingestor", "run", "--once", "--capture", capture)
        self.ingestor = self.start_ingestor()
        self.serve()

    def serve(self):
        self.server, self.client = self.start_server(key=KEY, environment={"HELIOGRAPH_API_KEY": KEY})

    def clusters(self):
        return eventually("clusters are found", lambda: self.client.json("/api/clusters")["clusters"])

    def finished(self, job):
        def ended():
            document = self.client.json(f"/api/cluster-jobs/{job}")
            return document if document["state"] in FINISHED else None
        return eventually(f"the job {job} ends", ended)

    def ask(self, body):
        answer = self.client.post("/api/cluster-jobs", body)
        self.assertEqual(answer.status, 202, answer.body)
        return answer.json()

    def correct(self, path, body, status=202):
        answer = self.client.post(path, body)
        self.assertEqual(answer.status, status, answer.body)
        if status != 202:
            return None
        return self.outcome(self.client, answer.json()["requestId"])

    def test_the_communities_of_a_mesh_are_found_named_and_explained(self):
        clusters = self.clusters()
        self.assertGreaterEqual(len(clusters), 2)
        largest = self.client.json(f"/api/clusters/{clusters[0]['slug']}")
        self.assertEqual(largest["members_total"], largest["size"])
        a, b = (member["key"] for member in largest["members"][:2])
        self.assertEqual(self.client.json(f"/api/nodes/{a}")["cluster"]["id"], largest["id"])
        self.assertTrue(self.client.json(f"/api/clusters/explain?a={a}&b={b}")["together"])
        self.assertIn("| Cluster | Members |", self.client.get("/api/clusters/report.md").body.decode())
        spec = self.client.json("/api/spec")["paths"]
        for path in ("/api/clusters", "/api/clusters/{id}/merge", "/api/cluster-jobs/{id}", "/api/cluster-runs/{a}/diff/{b}"):
            self.assertIn(path, spec)
        self.expect_whole()

    def test_a_job_with_another_resolution_becomes_a_run_that_keeps_identities(self):
        before = self.clusters()
        job = self.ask({"parameters": {"resolution": 4}})
        done = self.finished(job["id"])
        self.assertEqual(done["state"], "succeeded", done)
        runs = self.client.json("/api/cluster-runs")["runs"]
        self.assertEqual(runs[0]["job"], job["id"])
        self.assertEqual(runs[0]["parameters"]["resolution"], 4)
        kept = {cluster["id"] for cluster in before} & {cluster["id"] for cluster in self.clusters()}
        self.assertTrue(kept)
        self.client.json(f"/api/cluster-runs/{runs[1]['id']}/diff/{runs[0]['id']}")
        self.expect_whole()

    def test_a_job_over_what_was_seen_already_changes_nothing(self):
        before = self.clusters()
        # What is the default, but said, so that it is another job than the scheduled one, which may not be settled yet.
        done = self.finished(self.ask({"parameters": {"runs": 8}})["id"])
        self.assertEqual(done["state"], "succeeded", done)
        self.assertTrue(done["statistics"].get("unchanged"), done)
        self.assertEqual(self.value("SELECT count(*) FROM cluster_runs"), 1)
        self.assertEqual(self.clusters(), before)

    def test_the_resolution_is_chosen_by_a_job_of_its_own(self):
        self.clusters()
        done = self.finished(self.ask({"kind": "choose-resolution"})["id"])
        self.assertEqual(done["state"], "succeeded", done)
        self.assertIn(done["statistics"]["resolution"], [trial["resolution"] for trial in done["statistics"]["trials"]])

    def test_corrections_hold_against_later_runs_and_old_states_are_refused(self):
        west = self.clusters()[0]
        seen = self.client.json(f"/api/clusters/{west['id']}")
        named = self.correct(f"/api/clusters/{west['id']}/rename", {"title": "The Bay", "base": seen["base"]})
        self.assertEqual(named["outcome"], "applied")
        self.correct(f"/api/clusters/{west['id']}/close", {"base": seen["base"]}, status=409)
        member = seen["members"][-1]["key"]
        self.assertEqual(self.correct("/api/clusters/the-bay/exclude", {"members": [member]})["outcome"], "applied")
        self.finished(self.ask({"parameters": {"runs": 4}})["id"])
        after = self.client.json("/api/clusters/the-bay")
        self.assertEqual(after["id"], west["id"])
        self.assertNotIn(member, [each["key"] for each in after["members"]])
        # The run respected it by itself: nothing was left to keep out.
        exclusion = next(each for each in after["overrides"] if each["action"] == "exclude")
        self.assertEqual(exclusion["blocked"], 0)
        self.assertEqual(self.client.json(f"/api/clusters/{west['slug']}")["title"], "The Bay")
        self.expect_whole()

    def test_a_run_keeps_together_what_people_merged_and_apart_what_they_split(self):
        west, east = self.clusters()[:2]
        whole = self.client.json(f"/api/clusters/{west['id']}")
        part = [member["key"] for member in whole["members"][-2:]]
        self.assertEqual(self.correct(f"/api/clusters/{west['id']}/split", {"title": "Part", "members": part})["outcome"],
                         "applied")
        self.assertEqual(self.correct(f"/api/clusters/{west['id']}/merge", {"other": east["id"]})["outcome"], "applied")
        self.finished(self.ask({"parameters": {"runs": 5}})["id"])
        places = self.rows("SELECT lower(hex(public_key)), ordinal FROM cluster_members JOIN cluster_state ON run_id = active_run"
                           " JOIN identity ON key = member_key")
        ordinal = {key: place for key, place in places}
        merged = {ordinal[member["key"]] for member in self.client.json(f"/api/clusters/{west['id']}?limit=500")["members"]}
        self.assertEqual(len(merged), 1)
        self.assertEqual(len({ordinal[key] for key in part}), 1)
        self.assertNotIn(ordinal[part[0]], merged)
        self.assertEqual(self.client.json("/api/clusters/part")["size"], 2)
        redirect = self.client.get(f"/api/clusters/{east['id']}")
        self.assertEqual(redirect.headers["Location"], f"/api/clusters/{west['id']}")
        self.expect_whole()

    def test_of_two_corrections_that_race_one_is_carried_out_and_the_other_is_a_conflict(self):
        west, east = self.clusters()[:2]
        base = self.client.json(f"/api/clusters/{west['id']}")["base"]
        self.stop(self.ingestor)  # so that neither is carried out before both are accepted
        ids = []
        for action, body in (("rename", {"title": "The Bay"}), ("merge", {"other": east["id"]})):
            answer = self.client.post(f"/api/clusters/{west['id']}/{action}", {**body, "base": base})
            self.assertEqual(answer.status, 202, answer.body)
            ids.append(answer.json()["requestId"])
        self.ingestor = self.start_ingestor()
        self.assertEqual([self.outcome(self.client, id)["outcome"] for id in ids], ["applied", "conflict"])
        self.correct(f"/api/clusters/{west['id']}/close", {"base": base}, status=409)
        self.assertEqual(self.client.json(f"/api/clusters/{east['id']}")["id"], east["id"])

    def test_a_what_if_run_is_merged_into_main_and_taken_back(self):
        def shown(query=""):
            return {cluster["id"]: cluster["size"] for cluster in self.client.json(f"/api/clusters{query}")["clusters"]}
        self.clusters()
        before = shown()
        self.assertEqual(self.correct("/api/branches", {"name": "what-if"})["outcome"], "done")
        job = self.ask({"branch": "what-if", "parameters": {"resolution": 4}})["id"]
        self.assertEqual(self.finished(job)["state"], "succeeded")
        on_branch = shown("?branch=what-if")
        self.assertNotEqual(on_branch, before)
        self.assertEqual(shown(), before)
        merged = self.correct("/api/branches/what-if/merge", {})
        self.assertEqual(merged["outcome"], "applied", merged)
        eventually("main has the clusters of the branch, by the same ids", lambda: shown() == on_branch)
        newest = self.client.json("/api/commits")["commits"][0]
        self.assertEqual((newest["kind"], newest["stream"]), ("merge", "clusters/mesh"))
        self.assertEqual(self.correct(f"/api/commits/{newest['id']}/revert", {})["outcome"], "applied")
        eventually("main is as it was", lambda: shown() == before)
        self.expect_whole()

    def test_a_branch_tries_another_resolution_while_main_and_the_past_stay_as_they_are(self):
        before = self.clusters()
        name = before[0]["slug"]
        commit = self.client.json("/api/commits?stream=clusters-mesh")["commits"][0]["id"]
        asked = [f"{path}{mark}as_of={commit}" for path, mark in (
            ("/api/clusters", "?"), (f"/api/clusters/{name}", "?"), (f"/api/clusters/{name}/lineage", "?"),
            ("/api/clusters/report.md", "?"), ("/api/cluster-runs", "?"), (f"/api/entities/cluster/{name}", "?"))]
        told = [self.client.get(question).body for question in asked]
        self.assertEqual(self.correct("/api/branches", {"name": "finer"})["outcome"], "done")
        self.assertEqual(self.client.json("/api/clusters?branch=finer")["clusters"], before)

        job = self.ask({"branch": "finer", "parameters": {"resolution": 8}})["id"]
        done = self.finished(job)
        self.assertEqual((done["state"], done["branch"]), ("succeeded", "finer"), done)
        self.assertEqual([each["id"] for each in self.client.json("/api/cluster-jobs?branch=finer")["jobs"]], [job])
        self.assertEqual(self.client.post("/api/cluster-jobs", {"branch": "nowhere"}).status, 404)
        finer = self.client.json("/api/clusters?branch=finer")
        self.assertEqual(finer["run"], done["run"])
        self.assertGreater(finer["total"], len(before))
        self.assertEqual(self.client.json("/api/clusters")["clusters"], before)

        diff = self.client.json("/api/branches/finer/diff?limit=1000")
        self.assertIn("cluster", {entry["entity_kind"] for entry in diff["differences"]})
        measures = diff["clusters"]["measures"]
        self.assertEqual(measures["branch"]["parameters"]["resolution"], 8)
        self.assertEqual((measures["main"]["clusters"], measures["branch"]["clusters"]), (len(before), finer["total"]))
        self.assertLess(measures["adjusted_rand_index"], 1)
        self.assertEqual(diff["clusters"]["pairs"]["total"], len(diff["clusters"]["pairs"]["clusters"]))
        self.assertGreater(diff["clusters"]["moved"]["total"], 0)

        later = self.finished(self.ask({"parameters": {"resolution": 4}})["id"])
        eventually("main has the later run", lambda: self.client.json("/api/clusters")["run"] == later["run"])
        self.assertEqual([self.client.get(question).body for question in asked], told)
        self.assertEqual(self.client.json("/api/clusters?branch=finer"), finer)

        self.assertEqual(self.outcome(self.client, self.client.request("DELETE", "/api/branches/finer").json()[
            "requestId"])["outcome"], "done")
        self.assertEqual(self.client.get("/api/clusters?branch=finer").status, 404)
        self.expect_whole()

    def groups(self, query=""):
        """Who is together, apart from what the clusters are called."""
        clusters = self.client.json(f"/api/clusters?limit=500&members=true{query}")["clusters"]
        return {frozenset(cluster["members"]) for cluster in clusters}

    def test_a_branch_is_merged_into_a_main_that_moved_on_when_a_side_is_chosen(self):
        self.clusters()
        self.assertEqual(self.correct("/api/branches", {"name": "finer"})["outcome"], "done")
        finer = self.finished(self.ask({"branch": "finer", "parameters": {"resolution": 8}})["id"])["run"]
        later = self.finished(self.ask({"parameters": {"resolution": 4}})["id"])["run"]
        refused = self.correct("/api/branches/finer/merge", {})
        self.assertEqual(refused["outcome"], "conflict", refused)
        self.assertEqual([(run["collection"], run["base_run"], run["main_run"], run["branch_run"])
                          for run in refused["result"]["runs"]], [("mesh", 1, later, finer)])
        commit = self.client.json("/api/commits?stream=clusters-mesh")["commits"][0]["id"]
        question = f"/api/clusters?as_of={commit}"
        told, found = self.client.get(question).body, self.groups("&branch=finer")
        self.assertNotEqual(self.groups(f"&as_of={commit}"), found)
        merged = self.correct("/api/branches/finer/merge", {"side": "branch"})
        self.assertEqual(merged["outcome"], "applied", merged)
        eventually("main has the clusters of the branch", lambda: self.groups() == found)
        self.assertEqual(self.client.get(question).body, told)
        measures = self.client.json("/api/branches/finer/diff")["clusters"]["measures"]
        self.assertEqual(measures["adjusted_rand_index"], 1)
        self.expect_whole()

    def test_a_server_that_is_killed_leaves_no_job_running_for_ever(self):
        self.clusters()
        self.stop(self.ingestor)  # so that the job cannot end before the kill
        job = self.ask({"parameters": {"resolution": 3}})["id"]
        self.server.kill()
        self.ingestor = self.start_ingestor()
        self.serve()
        done = self.finished(job)
        self.assertIn(done["state"], ("failed", "succeeded"), done)
        self.assertEqual(self.value("SELECT count(*) FROM cluster_runs WHERE commit_seq IS NULL"), 0)
        self.expect_whole()


if __name__ == "__main__":
    main()

// The mesh at the moment that is looked at. What was read is kept until `forget`, so that each view asks for what it needs.
import { read, readAll } from './api.js';
import { marksOf } from './marks.js';
import { here } from './place.js';

let kept = new Map();

export const forget = () => { kept = new Map(); };

function once(name, readIt) {
  const key = `${here().asOf} ${name}`;
  if (!kept.has(key)) {
    const told = readIt();
    const mine = kept;
    mine.set(key, told);
    told.catch(() => mine.delete(key));
  }
  return kept.get(key);
}

/// `as_of=…&`, or nothing for now.
export const momentQuery = () => (here().asOf ? `as_of=${encodeURIComponent(here().asOf)}&` : '');
const regionQuery = (region) => (region ? `region=${encodeURIComponent(region)}&` : '');

export const observers = () => once('observers', () => read('api/observers'));
/// Nodes with status, evidence and probability.
export const capability = (region) => once(`capability ${region}`,
  () => readAll(`api/multibyte?${momentQuery()}${regionQuery(region)}`, 'nodes'));
/// How many nodes have which status, and how fresh that is.
export const summary = () => once('summary', async () => (await read(`api/multibyte?limit=1&${momentQuery()}`)).summary);
export const readiness = (region) => once(`readiness ${region}`,
  () => read(`api/multibyte/readiness?${momentQuery()}${regionQuery(region)}`));
/// Active nodes by key, with names, roles and places: always those of now, for places have no history.
export const stations = () => once('stations', async () => {
  const { entries } = await readAll('api/nodes?', 'nodes');
  return new Map(entries.map((node) => [node.public_key, node]));
});

/// Clusters, the largest first, with the keys of their members; homeOf says which one a node is in, marks how each is drawn.
export const communities = (ended = false) => once(`communities ${ended}`, async () => {
  const { entries, first } = await readAll(`api/clusters?members=true&${ended ? 'status=all&' : ''}${momentQuery()}`, 'clusters');
  const homeOf = new Map();
  for (const cluster of entries) for (const key of cluster.members) homeOf.set(key, cluster);
  return { clusters: entries, run: first.run, moment: first.as_of, homeOf, marks: marksOf(entries) };
});
/// The run that the clusters are of; nothing before the first.
export const latestRun = () => once('run', async () => (await read(`api/cluster-runs?limit=1&${momentQuery()}`)).runs[0]);
/// The newest job that was to make a run; nothing for the past.
export const latestJob = () => once('job',
  async () => (here().asOf ? undefined : (await read('api/cluster-jobs?limit=1')).jobs[0]));
export const community = (id, limit) => once(`community ${id} ${limit}`,
  () => read(`api/clusters/${encodeURIComponent(id)}?limit=${limit}&${momentQuery()}`));
export const lineageOf = (id, limit) => once(`lineage ${id} ${limit}`,
  () => read(`api/clusters/${encodeURIComponent(id)}/lineage?limit=${limit}&${momentQuery()}`));
export const lineage = (limit) => once(`lineage ${limit}`, () => read(`api/clusters/lineage?limit=${limit}&${momentQuery()}`));
/// Bridges and cut vertices, those first that cut most off; nothing for the past, for they have no history.
export const critical = () => once('critical',
  async () => (here().asOf ? null : read('api/analytics/topology/critical?sort=cut_off&limit=500')));
export const commits = (stream, limit) => once(`commits ${stream} ${limit}`,
  () => read(`api/commits?limit=${limit}${stream && `&stream=${encodeURIComponent(stream)}`}`));

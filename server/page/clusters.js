// The view of the second question: how the mesh holds together. All clusters, and what their ties hang on.
import { byId, cell, counted, element, link, note, number, row, table, tag, time } from './elements.js';
import { clusterLink, eventWords, stateTag } from './events.js';
import { drawMap } from './map.js';
import { markIcon, outsider } from './marks.js';
import * as mesh from './mesh.js';
import { here, linkTo } from './place.js';

const criticalRows = 8;
const eventsLookedAt = 500; // older events are told on the page of their cluster

export const statusWords = {
  active: 'active', closed: 'closed by a person', dormant: 'away', ended: 'ended', merged: 'merged into another',
};

/// The key of the newest event of each cluster.
function newestEvents(decisions) {
  const newest = new Map();
  for (const decision of decisions) if (!newest.has(decision.cluster)) newest.set(decision.cluster, decision);
  return newest;
}

function clusterRow(cluster, marks, newest) {
  const event = newest.get(cluster.id);
  return row(
    cell(markIcon(marks.get(cluster.id)), ' ', clusterLink(cluster.id, cluster.title),
      ...(cluster.title_pinned ? [' ', tag('named by a person')] : [])),
    number(cluster.size),
    element('td', { text: statusWords[cluster.status] || cluster.status }),
    element('td', { text: time(cluster.born_at) }),
    event ? cell(`${time(event.at)}: `, ...eventWords(event), ...stateTag(event)) : cell(time(cluster.changed_at)),
  );
}

/// Which marks the map has, and what they mean. In the past only colours are known.
export function mapLegend(critical, outside = 'in no cluster') {
  if (!critical) return note(`Grey: ${outside}. Places are those of today; what was vital then is not kept.`);
  const line = (mark, meaning) => element('li', { children: [mark, ` ${meaning}`] });
  return element('ul', {
    className: 'legend',
    children: [
      line(markIcon(outsider), outside),
      line(element('span', { className: 'key ring' }), 'a node that others hang on: without it they are cut off'),
      line(element('span', { className: 'key bridge' }), 'a link that is the only way between two parts'),
    ],
  });
}

/// Draws nodes with the marks of their clusters; `only` is the one whose members alone have theirs.
export function drawClusters(svg, stations, { homeOf, marks }, critical, only = null) {
  const nodes = [...stations.values()];
  drawMap(svg, nodes, {
    look: (node) => {
      const home = homeOf.get(node.public_key);
      const isMarked = home && (only === null || home.id === only);
      return { ...(isMarked ? marks.get(home.id) : outsider), words: home ? home.title : 'in no cluster' };
    },
    lines: (critical?.edges || []).filter((edge) => edge.is_bridge)
      .map((edge) => [stations.get(edge.source), stations.get(edge.target)]),
    rings: new Set((critical?.nodes || []).filter((node) => node.is_cut_vertex).map((node) => node.pubkey)),
    fits: only && ((node) => homeOf.get(node.public_key)?.id === only),
  });
}

const stationLink = (key, name) => link(linkTo({ node: key }), name || key.slice(0, 8));

function between(edge, homeOf) {
  const [a, b] = [homeOf.get(edge.source), homeOf.get(edge.target)];
  if (!a || !b || a.id === b.id) return [];
  return ['; it joins ', clusterLink(a.id, a.title), ' and ', clusterLink(b.id, b.title)];
}

const cutOff = (count, one, many) => `${counted(count, 'node')} ${count === 1 ? one : many}`;

/// Nodes and links whose loss would cut something off, in words.
function criticalPart(critical, homeOf) {
  const { summary } = critical;
  if (summary.edges === 0) return [note('Nobody is known to hear anybody yet: it takes a few packets of each link.')];
  const nodes = critical.nodes.filter((node) => node.is_cut_vertex).slice(0, criticalRows);
  const edges = critical.edges.filter((edge) => edge.is_bridge).slice(0, criticalRows);
  const parts = summary.components === 1 ? 'All nodes with links reach each other'
    : `The nodes with links fall into ${summary.components} parts that do not reach each other`;
  if (nodes.length + edges.length === 0) return [note(`${parts}, and there is a second way everywhere: no single one is vital.`)];
  return [
    note(`${parts}. ${counted(summary.cut_vertices, 'node')} and ${counted(summary.bridges, 'link')} are the only way for others, `
      + 'as far as packets tell; the most vital first.'),
    table(['If this goes', '#Cut off', 'What that means'], [
      ...nodes.map((node) => row(cell(stationLink(node.pubkey, node.name)), number(node.cut_off),
        cell(`${cutOff(node.cut_off, 'no longer reaches', 'no longer reach')} the largest part that is left; `
          + `${counted(node.pairs_lost, 'pair')} of nodes lose each other`))),
      ...edges.map((edge) => row(
        cell(stationLink(edge.source, edge.source_name), ' – ', stationLink(edge.target, edge.target_name)),
        number(edge.cut_off),
        cell(`${cutOff(edge.cut_off, 'hangs', 'hang')} on this link alone`, ...between(edge, homeOf)),
      )),
    ]),
  ];
}

/// How many clusters there are, and of what; or what is awaited.
function summaryOf(run, { clusters, homeOf }, job) {
  if (!run) {
    if (job?.state === 'failed') return `No cluster run yet: the last attempt, at ${time(job.finished_at)}, failed: ${job.error}`;
    return here().asOf ? 'No cluster run had been made by then.'
      : 'No cluster run yet. The first one comes about a minute after packets have told who hears whom, and later ones every '
        + '15 minutes, unless clusters.intervalSeconds says otherwise. They are shown here by themselves.';
  }
  const when = `Run ${run.id} of ${time(run.applied_at)}, over what was heard until ${time(run.data_time)}`;
  const none = counted(run.unclustered, 'node');
  if (clusters.length === 0) return `${when}: no cluster. ${none} were looked at, and too few hold together.`;
  return `${when}: ${counted(clusters.length, 'cluster')} with ${counted(homeOf.size, 'node')}; ${none} in none.`;
}

/// Reads what the view shows; returns what draws it.
export async function load() {
  const ended = byId('with-ended').checked;
  const [all, listed, run, job, stations, critical, { decisions }] = await Promise.all([
    mesh.communities(), mesh.communities(ended), mesh.latestRun(), mesh.latestJob(), mesh.stations(), mesh.critical(),
    mesh.lineage(eventsLookedAt)]);
  const newest = newestEvents(decisions);
  return () => {
    byId('clusters-summary').textContent = summaryOf(run, all, job);
    byId('clusters-body').hidden = !run;
    drawClusters(byId('clusters-map'), stations, all, critical);
    byId('clusters-legend').replaceChildren(mapLegend(critical));
    byId('clusters-list').replaceChildren(table(['Cluster', '#Members', 'Status', 'Since', 'Last event'],
      listed.clusters.map((cluster) => clusterRow(cluster, all.marks, newest))));
    byId('critical').hidden = !critical;
    if (critical) byId('critical-body').replaceChildren(...criticalPart(critical, all.homeOf));
  };
}

export function begin(onChange) {
  byId('with-ended').addEventListener('change', onChange);
}

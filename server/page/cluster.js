// One cluster: who belongs to it and how firmly, what happened to it and why, and what people corrected.
import { nodeCell, standingName } from './capability.js';
import { drawClusters, mapLegend, statusWords } from './clusters.js';
import {
  byId, cell, counted, element, link, moreButton, nameOf, note, number, percent, row, table, tag, time,
} from './elements.js';
import { correctionItem, eventList } from './events.js';
import { markIcon } from './marks.js';
import * as mesh from './mesh.js';
import { here, linkTo } from './place.js';

const pageRows = 200;
const pageEvents = 20;
let shown = { id: '', members: pageRows, events: pageEvents };

/// What is told of a member; names and roles have no history, so that those of today stand in for them.
const described = (member, stations) => {
  const station = stations.get(member.key);
  return { ...member, name: member.name || station?.name, role: member.role || station?.role };
};

function facts(cluster, asked, stations) {
  const status = statusWords[cluster.status] || cluster.status;
  const lines = [`${counted(cluster.members_total, 'member')}, ${status}, since ${time(cluster.born_at)}.`];
  if (cluster.cohesion !== null) lines.push(`${percent(cluster.cohesion)} of the ties of its members stay inside it.`);
  if (cluster.representative) lines.push(`Its best tied node is ${nameOf(described(cluster.representative, stations))}.`);
  if (![cluster.id, cluster.slug].includes(asked)) lines.push('What you asked for is part of this one now, or was its name.');
  return element('p', { text: lines.join(' ') });
}

function memberRow(member, capability) {
  const known = capability.get(member.key);
  return row(
    nodeCell(member),
    element('td', { text: member.role || '–' }),
    element('td', { text: known ? standingName(known) : '–' }),
    member.state === 'included' ? cell(tag('put here by a person')) : number(percent(member.strength)),
  );
}

/// Reads what the view shows; returns what draws it. `again` is called when more is wanted.
export async function load(again) {
  const { id } = here();
  if (shown.id !== id) shown = { id, members: pageRows, events: pageEvents };
  const [cluster, past, all, stations, critical, { entries }] = await Promise.all([
    mesh.community(id, shown.members), mesh.lineageOf(id, shown.events), mesh.communities(), mesh.stations(), mesh.critical(),
    mesh.capability('')]);
  const capability = new Map(entries.map((node) => [node.public_key, node]));
  const grow = (what, by) => () => { shown[what] += by; again(); };
  const nodeLink = (key) => link(linkTo({ node: key }), nameOf(stations.get(key) || { key }));
  return () => {
    byId('cluster-title').replaceChildren(markIcon(all.marks.get(cluster.id)), ` ${cluster.title}`);
    byId('cluster-facts').replaceChildren(facts(cluster, id, stations));
    drawClusters(byId('cluster-map'), stations, all, critical, cluster.id);
    byId('cluster-legend').replaceChildren(mapLegend(critical, 'not in this cluster'));
    byId('cluster-members').replaceChildren(
      cluster.members.length === 0 ? note('It has no members at this time.')
        : table(['Node', 'Role', 'Multi-byte', '#Belongs to it with'],
          cluster.members.map((member) => memberRow(described(member, stations), capability))),
      ...moreButton(cluster.members.length < cluster.members_total, grow('members', pageRows)),
    );
    byId('cluster-events').replaceChildren(
      ...(past.decisions.length === 0 ? [note('Nothing but small changes.')] : eventList(past.decisions)),
      ...moreButton(past.next !== null, grow('events', pageEvents)),
    );
    byId('cluster-corrections').replaceChildren(
      cluster.overrides.length === 0 ? note('Nobody has corrected it. Whoever has the API key can: see the API.')
        : element('ul', { className: 'events', children: cluster.overrides.map((one) => correctionItem(one, nodeLink)) }),
    );
  };
}

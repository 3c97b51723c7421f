// The view of what changes: what became of clusters, and each commit of the history with a way to look at the mesh as of it.
import { read } from './api.js';
import { byId, cell, counted, element, link, moreButton, nameOf, note, row, table, tag, time } from './elements.js';
import { clusterLink, eventList } from './events.js';
import * as mesh from './mesh.js';
import { here, linkTo } from './place.js';

const pageEvents = 50;
const pageCommits = 20;
const detailRows = 50;
let shownEvents = pageEvents;
let shownCommits = pageCommits;
const opened = new Set(); // commits whose details somebody opened, so that they stay open

const streams = {
  multibyte: 'Capability of nodes', 'clusters-mesh': 'A cluster run', overrides: 'A correction of clusters by a person',
};
const kinds = {
  merge: 'A branch was merged', revert: 'A commit was taken back', maintenance: 'Housekeeping', edit: 'An edit by a person',
};

function commitWords(commit) {
  const parts = [[commit.inserted, 'new'], [commit.updated, 'changed'], [commit.removed, 'gone']]
    .filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (commit.stream === 'overrides') return streams.overrides;
  const subject = kinds[commit.kind] || streams[commit.stream] || commit.stream || commit.kind;
  return parts.length === 0 ? `${subject}: other figures` : `${subject}: ${parts.join(', ')}`;
}

/// How each kind of entity is called, and what is told of its state.
const entities = {
  node: {
    name: (key, state, stations) => link(linkTo({ node: key }), nameOf(stations.get(key) || { key })),
    words: (state) => [state.status, state.evidence && ` by ${state.evidence}`, state.likely_legacy && ', likely legacy']
      .filter(Boolean).join(''),
  },
  readiness: { name: (scope) => `forecast for ${scope === 'mesh' ? 'the whole mesh' : scope}`, words: () => 'figures' },
  cluster: { name: (id, state) => clusterLink(id, state.title), words: (state) => `${state.title}, ${state.status}` },
  cluster_decision: {
    name: (id, state) => clusterLink(state.cluster, `what became of a cluster (${state.class})`), words: (state) => state.state,
  },
};
const anyEntity = { name: (id) => id, words: () => 'as it is' };

function changeItem(change, stations) {
  const { name, words } = entities[change.entity_kind] || anyEntity;
  const [before, after] = [change.before, change.after].map((state) => (state === null ? 'nothing' : words(state)));
  return element('li', {
    children: [name(change.entity_id, change.after || change.before, stations),
      before === after ? ': its figures changed' : `: ${before} → ${after}`],
  });
}

/// What a commit changed, read when somebody wants to see it.
function commitDetails(commit, stations) {
  const details = element('details', { children: [element('summary', { text: commitWords(commit) }), note('Reading …')] });
  details.addEventListener('toggle', async () => {
    const told = await read(`api/commits/${encodeURIComponent(commit.id)}?limit=${detailRows}`).catch((error) => error);
    const body = told instanceof Error ? note(told.message)
      : told.changes === null ? note('What it changed is no longer kept.')
        : told.changes.length === 0 ? note('It changed nothing that is listed here.')
          : element('ul', { children: told.changes.map((change) => changeItem(change, stations)) });
    details.lastChild.replaceWith(body);
    if (told.next) details.append(note(`Only the first ${detailRows} are shown.`));
  }, { once: true });
  details.addEventListener('toggle', () => { opened[details.open ? 'add' : 'delete'](commit.id); });
  details.open = opened.has(commit.id);
  return details;
}

function commitRow(commit, stations) {
  const when = time(commit.committed_at);
  let look = link(linkTo({ view: 'clusters', asOf: commit.id }), 'look', { 'aria-label': `Look at the mesh as of ${when}` });
  if (here().asOf === commit.id) look = tag('you look at this');
  if (!commit.readable) look = element('span', { className: 'note', text: 'no longer kept' });
  return row(cell(when), cell(commitDetails(commit, stations)), cell(commit.actor), cell(look));
}

/// Reads what the view shows; returns what draws it. `again` is called when more is wanted.
export async function load(again) {
  const withReverted = byId('with-reverted').checked;
  const [told, history, run, stations] = await Promise.all([
    mesh.lineage(shownEvents), mesh.commits(byId('stream').value, shownCommits), mesh.latestRun(), mesh.stations()]);
  const decisions = told.decisions.filter((decision) => withReverted || decision.state !== 'reverted');
  const hidden = told.decisions.length - decisions.length;
  return () => {
    const leftOut = `${counted(hidden, 'event')} that the next run did not bear out ${hidden === 1 ? 'is' : 'are'} left out.`;
    const none = run ? 'Nothing has appeared, split, merged or ended as far as the runs tell.'
      : 'No cluster run yet: what becomes of clusters is told from the first run on.';
    byId('changes-events').replaceChildren(
      ...(decisions.length === 0 ? [note(none)] : eventList(decisions)),
      ...(hidden > 0 ? [note(leftOut)] : []),
      ...moreButton(told.next !== null, () => { shownEvents += pageEvents; again(); }),
    );
    byId('changes-commits').replaceChildren(
      history.commits.length === 0 ? note('No commits yet: the first comes with the first conclusion that is drawn from packets.')
        : table(['When', 'What', 'By', 'As of then'], history.commits.map((commit) => commitRow(commit, stations))),
      note(`${counted(history.total, 'commit')} in all.`),
      ...moreButton(history.next !== null, () => { shownCommits += pageCommits; again(); }),
    );
  };
}

/// To be called once; `onChange` is told when something else is to be listed.
export function begin(onChange) {
  byId('with-reverted').addEventListener('change', onChange);
  byId('stream').addEventListener('change', onChange);
  byId('look-at').addEventListener('submit', (event) => {
    event.preventDefault();
    const at = new Date(byId('look-at-time').value);
    if (!Number.isNaN(at.getTime())) window.location.hash = linkTo({ view: 'clusters', asOf: at.toISOString() });
  });
}

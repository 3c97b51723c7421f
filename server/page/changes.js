// The view of what changes: what became of clusters, and each commit of the history with a way to look at the mesh as of it.
import { read } from './api.js';
import { byId, cell, counted, element, link, moreButton, nameOf, note, row, table, tag, time } from './elements.js';
import { eventList } from './events.js';
import * as mesh from './mesh.js';
import { here, linkTo } from './place.js';

const pageEvents = 50;
const pageCommits = 20;
const detailRows = 50;
let shownEvents = pageEvents;
let shownCommits = pageCommits;

const streams = {
  multibyte: 'Capability of nodes', 'clusters-mesh': 'A cluster run', overrides: 'A correction of clusters by a person',
};
const kinds = { merge: 'A branch was merged', revert: 'A commit was taken back', maintenance: 'Housekeeping', edit: 'An edit by a person' };

function commitWords(commit) {
  const parts = [[commit.inserted, 'new'], [commit.updated, 'changed'], [commit.removed, 'gone']]
    .filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const subject = kinds[commit.kind] && commit.stream !== 'overrides' ? kinds[commit.kind] : streams[commit.stream] || commit.stream || commit.kind;
  if (commit.stream === 'overrides') return subject;
  return parts.length === 0 ? `${subject}: other figures` : `${subject}: ${parts.join(', ')}`;
}

function stateWords(kind, state) {
  if (state === null) return 'nothing';
  if (kind === 'node') return `${state.status}${state.evidence ? ` by ${state.evidence}` : ''}${state.likely_legacy ? ', likely legacy' : ''}`;
  return 'other figures';
}

function changeItem(change, stations) {
  const isNode = change.entity_kind === 'node';
  const name = isNode ? link(linkTo({ node: change.entity_id }), nameOf(stations.get(change.entity_id) || { key: change.entity_id }))
    : `${change.entity_kind} of ${change.entity_id}`;
  const [before, after] = [change.before, change.after].map((state) => stateWords(change.entity_kind, state));
  return element('li', { children: [name, before === after ? ': its figures changed' : `: ${before} → ${after}`] });
}

/// What a commit changed, read when somebody wants to see it.
function commitDetails(commit, stations) {
  const details = element('details', { children: [element('summary', { text: commitWords(commit) }), note('Reading …')] });
  details.addEventListener('toggle', async () => {
    const told = await read(`api/commits/${encodeURIComponent(commit.id)}?limit=${detailRows}`).catch((error) => error);
    const body = told instanceof Error ? note(told.message)
      : told.changes === null ? note('What it changed is no longer kept.')
        : element('ul', { children: told.changes.map((change) => changeItem(change, stations)) });
    details.lastChild.replaceWith(body);
    if (told.next) details.append(note(`Only the first ${detailRows} are shown.`));
  }, { once: true });
  return details;
}

function commitRow(commit, stations) {
  const isShown = here().asOf === commit.id;
  const look = !commit.readable ? element('span', { className: 'note', text: 'no longer kept' })
    : isShown ? tag('you look at this') : link(linkTo({ view: 'clusters', asOf: commit.id }), 'look', { 'aria-label': `Look at the mesh as of ${time(commit.committed_at)}` });
  const what = commit.stream === 'multibyte' ? commitDetails(commit, stations) : commitWords(commit);
  return row(element('td', { text: time(commit.committed_at) }), cell(what), element('td', { text: commit.actor }), cell(look));
}

/// Reads what the view shows; returns what draws it. `again` is called when more is wanted.
export async function load(again) {
  const withReverted = byId('with-reverted').checked;
  const [told, history, run, stations] = await Promise.all([
    mesh.lineage(shownEvents), mesh.commits(byId('stream').value, shownCommits), mesh.latestRun(), mesh.stations()]);
  const decisions = told.decisions.filter((decision) => withReverted || decision.state !== 'reverted');
  const hidden = told.decisions.length - decisions.length;
  return () => {
    const none = run ? 'Nothing has appeared, split, merged or ended as far as the runs tell.'
      : 'No cluster run yet: what becomes of clusters is told from the first run on.';
    byId('changes-events').replaceChildren(
      ...(decisions.length === 0 ? [note(none)] : eventList(decisions)),
      ...(hidden > 0 ? [note(`${counted(hidden, 'event')} that the next run did not bear out ${hidden === 1 ? 'is' : 'are'} left out.`)] : []),
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

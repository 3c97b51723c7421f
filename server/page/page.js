// The page of Heliograph: shows the view that the address names, and shows it anew when the feed says that something changed.
import { Refusal } from './api.js';
import * as capability from './capability.js';
import * as changes from './changes.js';
import * as cluster from './cluster.js';
import * as clusters from './clusters.js';
import { byId, time } from './elements.js';
import { follow } from './feed.js';
import * as mesh from './mesh.js';
import * as node from './node.js';
import { here, linkTo } from './place.js';

const views = {
  switch: { title: 'Multi-byte path hashes', load: capability.load },
  clusters: { title: 'Clusters', load: clusters.load },
  cluster: { title: 'Cluster', load: cluster.load },
  changes: { title: 'Changes', load: changes.load },
};
const drawn = new Map(); // what each view shows: the id and the moment
let turn = 0;
let shownView = '';

function viewName() {
  const { view, id } = here();
  if (view === 'clusters') return id ? 'cluster' : 'clusters';
  return view === 'changes' ? 'changes' : 'switch';
}

function showFrame(name) {
  for (const one of Object.keys(views)) byId(`view-${one}`).hidden = one !== name;
  byId('region-label').hidden = name !== 'switch';
  const current = { switch: '', cluster: 'clusters' }[name] ?? name;
  for (const link of document.querySelectorAll('nav a')) {
    const { view } = link.dataset;
    link.href = linkTo({ view });
    if (view === current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${views[name].title} – Heliograph`;
  const place = `${name} ${here().id}`;
  if (shownView && shownView !== place) {
    window.scrollTo(0, 0);
    byId(`view-${name}`).querySelector('h2').focus();
  }
  shownView = place;
}

function showPast(summary) {
  const isPast = here().asOf !== '';
  byId('past').hidden = !isPast;
  document.body.classList.toggle('past', isPast);
  byId('past-leave').href = linkTo({ asOf: '' });
  const moment = summary?.as_of;
  byId('past-when').textContent = moment ? `${time(moment.time)} (commit ${moment.commit_seq})` : here().asOf;
}

function showFreshness(summary) {
  if (here().asOf) byId('freshness').textContent = '';
  else byId('freshness').textContent = summary.data_time
    ? `As of ${time(summary.data_time)}${summary.progress === 'complete' ? '' : ' (last known; packets are still being read)'}`
    : 'No packets yet.';
}

function showTrouble(error) {
  const isTemporary = !(error instanceof Refusal) || error.status >= 500 || error.status === 429;
  byId('trouble').textContent = `${isTemporary ? 'The server cannot answer just now' : 'This cannot be shown'}: ${error.message}`;
  byId('trouble').hidden = false;
}

/// Draws, and puts the focus back on the link or the button that was drawn anew under it.
function drawAround(draw) {
  const active = document.activeElement;
  let same = null;
  if (active.matches('main a[href]')) same = `main a[href="${CSS.escape(active.getAttribute('href'))}"]`;
  if (active.matches('main .more')) same = `#${active.parentElement.id} > .more`;
  draw();
  if (same && !active.isConnected) document.querySelector(same)?.focus({ preventScroll: true });
}

/// Shows the place in the address. Whoever is overtaken by a later call draws nothing; what another place had is pale until
/// the answers are there, and gone when there are none.
async function show() {
  turn += 1;
  const mine = turn;
  const name = viewName();
  showFrame(name);
  showPast();
  node.showNode();
  const { id, asOf } = here();
  const place = JSON.stringify([id, asOf]);
  const view = byId(`view-${name}`);
  view.classList.toggle('stale', drawn.get(name) !== place);
  try {
    const [draw, summary] = await Promise.all([views[name].load(show), mesh.summary()]);
    if (mine !== turn) return;
    drawAround(draw);
    showFreshness(summary);
    showPast(summary);
    drawn.set(name, place);
    view.classList.remove('stale');
    byId('trouble').hidden = true;
  } catch (error) {
    if (mine !== turn) return;
    view.hidden = drawn.get(name) !== place;
    showTrouble(error);
  }
}

capability.begin(show);
clusters.begin(show);
changes.begin(show);
node.begin();
window.addEventListener('hashchange', show);
show();
follow(() => {
  mesh.forget();
  show();
});

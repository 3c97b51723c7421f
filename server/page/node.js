// The details of one node: what proves its capability, and the cluster that it belongs to.
import { read } from './api.js';
import { standingName } from './capability.js';
import { byId, cell, element, nameOf, note, percent, row, table, time } from './elements.js';
import { clusterLink } from './events.js';
import * as mesh from './mesh.js';
import { here, linkTo } from './place.js';

let shown = '';

function proofTable(proofs) {
  if (proofs.length === 0) return note('No packet proves anything about it.');
  return table(['Heard', 'Evidence', 'By', 'Path', 'Who the hop can be'], proofs.map((proof) => row(
    element('td', { text: time(proof.time) }),
    element('td', { text: proof.evidence || '–' }),
    element('td', { text: proof.observer_name || (proof.observer_id || '').slice(0, 8) || '–' }),
    cell(element('code', { text: (proof.path || []).join(' ') || 'own advert' })),
    element('td', { text: (proof.candidates || []).map(nameOf).join(', ') || '–' }),
  )));
}

function clusterLine(key, { homeOf, run }) {
  const home = homeOf.get(key);
  if (home) return element('p', { children: ['Cluster: ', clusterLink(home.id, home.title)] });
  return note(run === null ? 'Nothing is known of clusters yet.' : 'It belongs to no cluster.');
}

async function fill(key) {
  const body = byId('details-body');
  const station = (await mesh.stations()).get(key);
  byId('details-title').textContent = nameOf(station || { key });
  const [told, communities] = await Promise.all([
    read(`api/multibyte/${encodeURIComponent(key)}?${mesh.momentQuery()}`), mesh.communities()]);
  if (here().node !== key) return;
  byId('details-title').textContent = nameOf(told);
  const evidence = told.evidence ? ` by ${told.evidence}` : '';
  const chance = told.probability === null ? '' : `; carries multi-byte floods with a probability of ${percent(told.probability)}`;
  body.replaceChildren(
    element('p', { children: [element('code', { text: told.public_key })] }),
    element('p', { text: `${told.role || 'unknown role'}, ${standingName(told)}${evidence}${chance}` }),
    clusterLine(told.public_key, communities),
    proofTable(told.proofs || []),
  );
}

/// Opens the details of the node in the address, or closes them.
export async function showNode() {
  const dialog = byId('details');
  const key = here().node;
  if (key === shown && dialog.open === (key !== '')) return;
  shown = key;
  if (!key) {
    dialog.close();
    return;
  }
  byId('details-title').textContent = key.slice(0, 8);
  byId('details-body').replaceChildren(note('Reading …'));
  if (!dialog.open) dialog.showModal();
  await fill(key).catch((error) => {
    if (here().node === key) byId('details-body').replaceChildren(element('p', { text: error.message }));
  });
}

/// To be called once. Whoever closes the details is where they were before.
export function begin() {
  byId('details').addEventListener('close', () => {
    if (here().node) window.location.hash = linkTo({ node: '' });
  });
}

// The view of the first question: what a switch to multi-byte path hashes would leave, and which nodes can carry them.
import { byId, cell, element, link, nameOf, note, number, percent, row, time } from './elements.js';
import { drawMap } from './map.js';
import * as mesh from './mesh.js';
import { here, linkTo } from './place.js';

const pageRows = 100;
const blockerRows = 5;
const names = { confirmed: 'confirmed', suspected: 'suspected', legacy: 'likely legacy', unknown: 'unknown' };

let nodes = [];
let shownRows = pageRows;

const standing = (node) => (node.status === 'unknown' && node.likely_legacy ? 'legacy' : node.status);
/// The status in words: an unknown node that is improbable is called likely legacy.
export const standingName = (node) => names[standing(node)];

const statusCell = (node) => cell(element('span', { className: `dot ${standing(node)}` }), standingName(node));
export const nodeCell = (node) => {
  const key = node.public_key || node.key;
  return cell(link(linkTo({ node: key }), nameOf(node)), element('br'), element('code', { text: key.slice(0, 12) }));
};

/// One share with its interval, as a card.
function forecastCard(title, estimate) {
  const card = (children) => element('div', { className: 'forecast', children: [element('span', { text: title }), ...children] });
  if (!estimate) return card([note('No deliveries are expected today.')]);
  const range = element('span');
  range.style.left = `${estimate.low * 100}%`;
  range.style.width = `${Math.max(estimate.high - estimate.low, 0.01) * 100}%`;
  const mark = element('i');
  mark.style.left = `${estimate.share * 100}%`;
  return card([
    element('strong', { text: percent(estimate.share) }),
    element('div', { className: 'interval', children: [range, mark] }),
    element('span', { className: 'note', text: `80 % sure: ${percent(estimate.low)}\u2013${percent(estimate.high)}` }),
  ]);
}

function blockerRow(blocker) {
  const node = nodes.find((one) => one.public_key === blocker.public_key) || { ...blocker, status: 'unknown' };
  return row(nodeCell(node), statusCell(node), number(`${(blocker.gain * 100).toFixed(1)} %`));
}

function showReadiness(told, region) {
  const scope = told.scopes.find((one) => (one.region ?? '') === region);
  byId('readiness').hidden = !scope;
  if (!scope) return;
  byId('forecasts').replaceChildren(
    forecastCard('2 bytes: to nodes', scope.two_bytes.node_share),
    forecastCard('2 bytes: to observers', scope.two_bytes.observer_share),
    forecastCard('3 bytes: to nodes', scope.three_bytes.node_share),
    forecastCard('3 bytes: to observers', scope.three_bytes.observer_share),
  );
  const known = scope.knowledge;
  byId('knowledge').textContent = `What this rests on: ${known.observers} observers, ${known.multibyte_floods} multi-byte floods, `
    + `evidence for ${known.nodes_with_evidence} of ${known.nodes} nodes, which carry `
    + `${percent(known.share_of_relayed_traffic_with_evidence)} of the relayed traffic.`;
  const { blockers } = scope.two_bytes;
  byId('blockers').hidden = blockers.length === 0;
  byId('blockers').querySelector('tbody').replaceChildren(...blockers.slice(0, blockerRows).map(blockerRow));
}

function showShares() {
  const counts = Object.fromEntries(Object.keys(names).map((key) => [key, 0]));
  for (const node of nodes) counts[standing(node)] += 1;
  const told = Object.entries(names).map(([key, name]) => `${counts[key]} ${name}`);
  byId('shares').replaceChildren(...Object.keys(names).filter((key) => counts[key] > 0).map((key) => {
    const part = element('span', { className: key, title: `${counts[key]} ${names[key]}` });
    part.style.flexGrow = counts[key];
    return part;
  }));
  byId('shares').setAttribute('aria-label', told.join(', '));
  byId('legend').replaceChildren(...Object.keys(names).map((key, i) => element('li', {
    children: [element('span', { className: key }), told[i]],
  })));
}

function showPlaces(stations) {
  const placed = nodes.map((node) => ({ ...stations.get(node.public_key), ...node })).filter((node) => 'lat' in node);
  drawMap(byId('map'), placed, { look: (node) => ({ className: standing(node), shape: 'circle', words: standingName(node) }) });
}

function showNodes() {
  const wanted = byId('search').value.trim().toLowerCase();
  const status = byId('status').value;
  const role = byId('role').value;
  const found = nodes.filter((node) => (!status || standing(node) === status)
    && (!role || node.role === role)
    && (!wanted || node.public_key.startsWith(wanted) || (node.name || '').toLowerCase().includes(wanted)));
  byId('count').textContent = `${found.length} of ${nodes.length}`;
  byId('more').hidden = found.length <= shownRows;
  byId('nodes').tBodies[0].replaceChildren(...found.slice(0, shownRows).map((node) => row(
    nodeCell(node),
    element('td', { text: node.role || '–' }),
    statusCell(node),
    element('td', { text: node.evidence || '–' }),
    number(node.probability === null ? '–' : percent(node.probability)),
    element('td', { text: node.adopted ? `yes, ${node.max_hash_size} bytes` : '–' }),
    element('td', { text: time(node.last_proof_at) }),
  )));
}

async function showRegions() {
  const select = byId('region');
  select.disabled = here().asOf !== '';
  const regions = [...new Set((await mesh.observers()).observers.map((observer) => observer.iata).filter(Boolean))].sort();
  const chosen = select.disabled ? '' : select.value;
  select.replaceChildren(element('option', { value: '', text: 'whole mesh' }),
    ...regions.map((region) => element('option', { value: region, text: region })));
  select.value = regions.includes(chosen) ? chosen : '';
}

/// Reads what the view shows; returns what draws it.
export async function load() {
  await showRegions();
  const region = byId('region').value;
  const [{ entries }, stations, forecast] = await Promise.all([
    mesh.capability(region), mesh.stations(), mesh.readiness(region)]);
  return () => {
    nodes = entries;
    showReadiness(forecast, region);
    showShares();
    showPlaces(stations);
    showNodes();
  };
}

/// To be called once; `onRegion` is told when another region is chosen.
export function begin(onRegion) {
  for (const id of ['search', 'status', 'role']) {
    byId(id).addEventListener('input', () => { shownRows = pageRows; showNodes(); });
  }
  byId('filter').addEventListener('submit', (event) => event.preventDefault());
  byId('more').addEventListener('click', () => { shownRows += pageRows; showNodes(); });
  byId('region').addEventListener('change', onRegion);
}

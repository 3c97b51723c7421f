// The page of Heliograph: reads the API once, and again when the feed says that something changed. It never polls.
const pageRows = 100;
const blockerRows = 5;
const listLimit = 200;
const settleMillis = 500;
const refusedMillis = 5000;

const byId = (id) => document.getElementById(id);
let nodes = [];
let positions = new Map();
let shownRows = pageRows;

async function read(path) {
  const answer = await fetch(path, { headers: { Accept: 'application/json' } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error || `${path}: ${answer.status}`);
  return body;
}

/// All entries of a list, page by page.
async function readAll(path, plural) {
  const entries = [];
  let first = null;
  let cursor = '';
  do {
    const page = await read(`${path}limit=${listLimit}${cursor}`);
    first ??= page;
    entries.push(...page[plural]);
    cursor = page.next ? `&cursor=${encodeURIComponent(page.next)}` : null;
  } while (cursor);
  return { entries, first };
}

/// An element with text and children; text is never taken for markup, for names come from strangers.
function element(name, { text, className, children = [], ...attributes } = {}) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const percent = (share) => `${Math.round(share * 100)} %`;
const standing = (node) => (node.status === 'unknown' && node.likely_legacy ? 'legacy' : node.status);
const standingName = (node) => (standing(node) === 'legacy' ? 'likely legacy' : node.status);
const time = (text) => (text ? new Date(text).toLocaleString() : '–');
const nameOf = (node) => node.name || node.public_key.slice(0, 8);
const regionQuery = () => (byId('region').value ? `region=${encodeURIComponent(byId('region').value)}&` : '');

function showFreshness(summary) {
  byId('freshness').textContent = summary.data_time
    ? `As of ${time(summary.data_time)}${summary.progress === 'complete' ? '' : ' (last known; packets are still being read)'}`
    : 'No packets yet.';
}

/// One share with its interval, as a card.
function forecastCard(title, estimate) {
  if (!estimate) {
    return element('div', { className: 'forecast', children: [
      element('span', { text: title }), element('p', { className: 'note', text: 'No deliveries are expected today.' })] });
  }
  const range = element('span');
  range.style.left = `${estimate.low * 100}%`;
  range.style.width = `${Math.max(estimate.high - estimate.low, 0.01) * 100}%`;
  const mark = element('i');
  mark.style.left = `${estimate.share * 100}%`;
  return element('div', {
    className: 'forecast',
    children: [
      element('span', { text: title }),
      element('strong', { text: percent(estimate.share) }),
      element('div', { className: 'interval', children: [range, mark] }),
      element('span', { className: 'note', text: `80 % sure: ${percent(estimate.low)}\u2013${percent(estimate.high)}` }),
    ],
  });
}

function blockerRow(blocker) {
  const node = nodes.find((one) => one.public_key === blocker.public_key) || { ...blocker, status: 'unknown' };
  return element('tr', {
    children: [nodeCell(node), statusCell(node), element('td', { className: 'number', text: `${(blocker.gain * 100).toFixed(1)} %` })],
  });
}

async function showReadiness() {
  const region = byId('region').value;
  const told = await read(`api/multibyte/readiness?${regionQuery()}`);
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
  const names = { confirmed: 'confirmed', suspected: 'suspected', legacy: 'likely legacy', unknown: 'unknown' };
  const counts = Object.fromEntries(Object.keys(names).map((key) => [key, 0]));
  for (const node of nodes) counts[standing(node)] += 1;
  const told = Object.entries(names).map(([key, name]) => `${counts[key]} ${name}`);
  byId('shares').replaceChildren(...Object.keys(names).filter((key) => counts[key] > 0).map((key) => {
    const part = element('span', { className: key, title: `${counts[key]} ${names[key]}` });
    part.style.flexGrow = counts[key];
    return part;
  }));
  byId('shares').setAttribute('aria-label', told.join(', '));
  byId('legend').replaceChildren(...Object.entries(names).map(([key, name]) => element('li', {
    children: [element('span', { className: key }), document.createTextNode(`${counts[key]} ${name}`)],
  })));
}

function showMap() {
  const map = byId('map');
  const placed = nodes.filter((node) => positions.has(node.public_key));
  map.toggleAttribute('hidden', placed.length < 2);
  if (placed.length < 2) return;
  const points = placed.map((node) => positions.get(node.public_key));
  const lats = points.map((point) => point.lat).sort((a, b) => a - b);
  const lons = points.map((point) => point.lon).sort((a, b) => a - b);
  // A node that tells a wrong place must not shrink the mesh to a dot.
  const span = (sorted) => [sorted[Math.floor(sorted.length * 0.01)], sorted[Math.ceil(sorted.length * 0.99) - 1]];
  const [south, north] = span(lats);
  const [west, east] = span(lons);
  const squeeze = Math.cos(((south + north) / 2) * Math.PI / 180);
  const scale = Math.min(860 / Math.max((east - west) * squeeze, 1e-4), 380 / Math.max(north - south, 1e-4));
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  map.replaceChildren(...placed.map((node, i) => {
    const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
    const x = 450 + (points[i].lon - (west + east) / 2) * squeeze * scale;
    const y = 210 - (points[i].lat - (south + north) / 2) * scale;
    dot.setAttribute('cx', clamp(x, 8, 892));
    dot.setAttribute('cy', clamp(y, 8, 412));
    dot.setAttribute('r', node.role === 'repeater' || node.role === 'room' ? 6 : 4);
    dot.setAttribute('class', standing(node));
    const title = document.createElementNS('http://www.w3.org/2000/svg', 'title');
    title.textContent = `${nameOf(node)}: ${standingName(node)}`;
    dot.append(title);
    dot.addEventListener('click', () => showDetails(node));
    return dot;
  }));
}

function statusCell(node) {
  return element('td', {
    children: [element('span', { className: `dot ${standing(node)}` }), document.createTextNode(standingName(node))],
  });
}

function nodeCell(node) {
  const open = element('button', { text: nameOf(node), type: 'button' });
  open.addEventListener('click', () => showDetails(node));
  return element('td', { children: [open, element('br'), element('code', { text: node.public_key.slice(0, 12) })] });
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
  byId('nodes').tBodies[0].replaceChildren(...found.slice(0, shownRows).map((node) => element('tr', {
    children: [
      nodeCell(node),
      element('td', { text: node.role || '–' }),
      statusCell(node),
      element('td', { text: node.evidence || '–' }),
      element('td', { className: 'number', text: node.probability === null ? '–' : percent(node.probability) }),
      element('td', { text: node.adopted ? `yes, ${node.max_hash_size} bytes` : '–' }),
      element('td', { text: time(node.last_proof_at) }),
    ],
  })));
}

async function showDetails(node) {
  byId('details-title').textContent = nameOf(node);
  const body = byId('details-body');
  body.replaceChildren(element('p', { className: 'note', text: 'Reading …' }));
  byId('details').showModal();
  try {
    const told = await read(`api/multibyte/${node.public_key}`);
    const rows = (told.proofs || []).map((proof) => element('tr', {
      children: [
        element('td', { text: time(proof.time) }),
        element('td', { text: proof.evidence || '–' }),
        element('td', { text: proof.observer_name || (proof.observer_id || '').slice(0, 8) || '–' }),
        element('td', { children: [element('code', { text: (proof.path || []).join(' ') || 'own advert' })] }),
        element('td', { text: (proof.candidates || []).map((one) => nameOf(one)).join(', ') || '–' }),
      ],
    }));
    const head = ['Heard', 'Evidence', 'By', 'Path', 'Who the hop can be'].map((text) => element('th', { text }));
    body.replaceChildren(
      element('p', { children: [element('code', { text: node.public_key })] }),
      element('p', { text: `${node.role || 'unknown role'}, ${standingName(node)}${node.evidence ? ` by ${node.evidence}` : ''}` }),
      rows.length === 0
        ? element('p', { className: 'note', text: 'No packet proves anything about it.' })
        : element('table', {
          children: [element('thead', { children: [element('tr', { children: head })] }), element('tbody', { children: rows })],
        }));
  } catch (error) {
    body.replaceChildren(element('p', { text: error.message }));
  }
}

async function showRegions() {
  const { observers } = await read('api/observers');
  const regions = [...new Set(observers.map((observer) => observer.iata).filter(Boolean))].sort();
  const select = byId('region');
  const chosen = select.value;
  select.replaceChildren(element('option', { value: '', text: 'whole mesh' }),
    ...regions.map((region) => element('option', { value: region, text: region })));
  select.value = regions.includes(chosen) ? chosen : '';
}

async function showMesh() {
  const [{ entries, first }, list] = await Promise.all([
    readAll(`api/multibyte?${regionQuery()}`, 'nodes'),
    read('api/nodes?limit=2000'),
  ]);
  nodes = entries;
  positions = new Map(list.nodes.filter((node) => node.lat !== null && node.lon !== null)
    .map((node) => [node.public_key, node]));
  showFreshness(first.summary);
  await showReadiness();
  showShares();
  showMap();
  showNodes();
}

async function showAll() {
  try {
    await showRegions();
    await showMesh();
    byId('trouble').hidden = true;
  } catch (error) {
    byId('trouble').textContent = `The server cannot answer just now: ${error.message}`;
    byId('trouble').hidden = false;
  }
}

/// Reads again once a commit, or a burst of them, is over. A browser resumes a broken stream by itself, from the cursor that
/// it had; one that was refused, because the server had only just started, is asked for again.
function follow() {
  let settle = null;
  const readAgain = () => {
    clearTimeout(settle);
    settle = setTimeout(showAll, settleMillis);
  };
  const feed = new EventSource('api/events?kind=commit');
  for (const event of ['hello', 'change', 'reset']) feed.addEventListener(event, readAgain);
  feed.addEventListener('error', () => {
    if (feed.readyState === EventSource.CLOSED) setTimeout(follow, refusedMillis);
  });
}

for (const id of ['search', 'status', 'role']) {
  byId(id).addEventListener('input', () => { shownRows = pageRows; showNodes(); });
}
byId('filter').addEventListener('submit', (event) => event.preventDefault());
byId('more').addEventListener('click', () => { shownRows += pageRows; showNodes(); });
byId('region').addEventListener('change', showAll);
showAll();
follow();

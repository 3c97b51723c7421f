// The map: where nodes are, as far as they tell, and what marks them.
import { drawn, nameOf } from './elements.js';
import { outline } from './marks.js';
import { linkTo } from './place.js';

const width = 900;
const height = 420;
const margin = 20;
const within = ({ x, y }) => ({ x: Math.min(Math.max(x, 8), width - 8), y: Math.min(Math.max(y, 8), height - 8) });

const isPlaced = (node) => node && node.lat !== null && node.lon !== null;

/// From places on earth to points of the drawing, in which most of the nodes fill the space: one that tells a wrong place must
/// not shrink the mesh to a dot.
function projection(nodes) {
  const span = (values) => {
    const sorted = values.sort((a, b) => a - b);
    return [sorted[Math.floor(sorted.length * 0.01)], sorted[Math.ceil(sorted.length * 0.99) - 1]];
  };
  const [south, north] = span(nodes.map((node) => node.lat));
  const [west, east] = span(nodes.map((node) => node.lon));
  const squeeze = Math.cos(((south + north) / 2) * Math.PI / 180);
  const scale = Math.min((width - 2 * margin) / Math.max((east - west) * squeeze, 1e-4),
    (height - 2 * margin) / Math.max(north - south, 1e-4));
  return (node) => ({
    x: width / 2 + (node.lon - (west + east) / 2) * squeeze * scale,
    y: height / 2 - (node.lat - (south + north) / 2) * scale,
  });
}

/// Draws the nodes that tell their place. `look` gives each its mark (className, shape) and the words for it; `lines` are
/// pairs of nodes, `rings` the keys of nodes that stand out. Nodes that lie outside are drawn at the edge, unless `fits` says
/// which ones the map is about. Nothing is shown of fewer than two.
export function drawMap(svg, nodes, { look, lines = [], rings = new Set(), fits = null }) {
  const placed = nodes.filter(isPlaced);
  const wanted = fits ? placed.filter(fits) : placed;
  svg.toggleAttribute('hidden', wanted.length < 2);
  if (wanted.length < 2) return;
  const project = projection(wanted);
  const at = fits ? project : (node) => within(project(node));
  const bridges = lines.filter((pair) => pair.every(isPlaced)).map(([a, b]) => {
    const [from, to] = [at(a), at(b)];
    return drawn('line', { className: 'bridge', x1: from.x, y1: from.y, x2: to.x, y2: to.y });
  });
  // The table below the map is the way for the keyboard: hundreds of stops on a map are none.
  const marks = placed.map((node) => {
    const { x, y } = at(node);
    const { className, shape, words } = look(node);
    const radius = node.role === 'repeater' || node.role === 'room' ? 6 : 4;
    return drawn('a', {
      href: linkTo({ node: node.public_key }), tabindex: -1, transform: `translate(${x} ${y})`,
      children: [
        ...(rings.has(node.public_key) ? [drawn('circle', { className: 'ring', r: radius + 4 })] : []),
        drawn('path', { className: `mark ${className}`, d: outline(shape, radius) }),
        drawn('title', { text: `${nameOf(node)}: ${words}` }),
      ],
    });
  });
  svg.replaceChildren(...bridges, ...marks);
}

// How clusters are told apart: a colour that colour-blind people tell from the others, and a shape where colours run out.
import { drawn, element } from './elements.js';

const colours = 6;
const shapes = {
  circle: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  square: (r) => `M${-r * 0.88} ${-r * 0.88}h${r * 1.76}v${r * 1.76}h${-r * 1.76}z`,
  triangle: (r) => `M0 ${-r * 1.2}L${r * 1.15} ${r * 0.8}H${-r * 1.15}z`,
  diamond: (r) => `M0 ${-r * 1.3}L${r * 1.1} 0L0 ${r * 1.3}L${-r * 1.1} 0z`,
};
const shapeNames = Object.keys(shapes);
export const outsider = { className: 'outside', shape: 'circle' };

export const outline = (shape, radius) => shapes[shape](radius);

/// A mark for each cluster that has members, by id. The older choose first, and each as its id says as long as colours are
/// equally often taken, so that a mark rarely changes when another cluster comes or goes.
export function marksOf(clusters) {
  const taken = new Array(colours).fill(0);
  const marks = new Map();
  for (const { id } of clusters.filter((one) => one.size > 0).sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const least = Math.min(...taken);
    let colour = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7) % colours;
    while (taken[colour] > least) colour = (colour + 1) % colours;
    marks.set(id, { className: `c${colour}`, shape: shapeNames[taken[colour] % shapeNames.length] });
    taken[colour] += 1;
  }
  return marks;
}

/// The mark in a line of text.
export function markIcon(mark) {
  if (!mark) return element('span');
  return drawn('svg', {
    className: 'icon', viewBox: '-8 -8 16 16', 'aria-hidden': 'true',
    children: [drawn('path', { className: `mark ${mark.className}`, d: outline(mark.shape, 5.5) })],
  });
}

// Elements and words that every view is made of. Text is never taken for markup, for names come from strangers.
const svgSpace = 'http://www.w3.org/2000/svg';

export const byId = (id) => document.getElementById(id);

function filled(made, { text, className, children = [], ...attributes }) {
  if (className) made.setAttribute('class', className);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/// An element with text, children (elements or text) and attributes.
export const element = (name, parts = {}) => filled(document.createElement(name), parts);
export const drawn = (name, parts = {}) => filled(document.createElementNS(svgSpace, name), parts);

export const link = (href, text, parts = {}) => element('a', { href, text, ...parts });
export const cell = (...children) => element('td', { children });
export const number = (text) => element('td', { className: 'number', text });
export const row = (...cells) => element('tr', { children: cells });
export const note = (text) => element('p', { className: 'note', text });
export const tag = (text, title = '') => element('span', { className: 'tag', text, ...(title && { title }) });

/// A table; a heading that begins with # is of a column of numbers. On a narrow screen each row is a block of labelled lines.
export function table(headings, rows) {
  for (const one of rows) [...one.cells].forEach((each, i) => { each.dataset.label = headings[i].replace('#', ''); });
  const head = headings.map((text) => (text.startsWith('#')
    ? element('th', { scope: 'col', className: 'number', text: text.slice(1) }) : element('th', { scope: 'col', text })));
  return element('table', {
    className: 'list',
    children: [element('thead', { children: [row(...head)] }), element('tbody', { children: rows })],
  });
}

/// A button that shows more of a list, in a list of one; nothing when there is no more.
export function moreButton(isNeeded, onClick) {
  if (!isNeeded) return [];
  const button = element('button', { text: 'Show more', type: 'button', className: 'more' });
  button.addEventListener('click', onClick);
  return [button];
}

export const percent = (share) => `${Math.round(share * 100)} %`;
export const time = (text) => (text ? new Date(text).toLocaleString() : '–');
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
export const nameOf = (node) => node.name || (node.public_key || node.key).slice(0, 8);

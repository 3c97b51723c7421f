// Where the reader is: the part of the address after #, as #/clusters/ID?as_of=COMMIT&node=KEY. All that links lead to is in it.

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/// The view, the id of what it shows, the commit or time that is looked at (empty: now), and the node whose details are open.
export function here() {
  const [path, query = ''] = window.location.hash.slice(1).split('?');
  const [view = '', id = ''] = path.split('/').filter(Boolean).map(decoded);
  const parameters = new URLSearchParams(query);
  return { view, id, asOf: parameters.get('as_of') || '', node: parameters.get('node') || '' };
}

/// The address of a place; what is not given is as it is here. Another view begins without an open node.
export function linkTo(place) {
  const { view, id, asOf, node } = { ...here(), ...(place.view === undefined ? {} : { id: '', node: '' }), ...place };
  const query = new URLSearchParams({ ...(asOf && { as_of: asOf }), ...(node && { node }) }).toString();
  return `#/${[view, id].filter(Boolean).map(encodeURIComponent).join('/')}${query && `?${query}`}`;
}

// Questions to the server, and what came of them.
const listLimit = 2000; // a larger page than the server gives is cut to what it gives

/// An answer that is none: `status` is the one of HTTP.
export class Refusal extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }
}

/// The JSON at `path`, relative to the page. Throws Refusal, and TypeError when the server cannot be reached.
export async function read(path) {
  const answer = await fetch(path, { headers: { Accept: 'application/json' } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(body.error || `${path}: ${answer.status}`, answer.status);
  return body;
}

/// All entries of a list, page by page; `path` ends with ? or &. `first` is the first page, for what it says beside them.
export async function readAll(path, plural) {
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

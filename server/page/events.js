// What became of clusters, and what people did to them, in words.
import { counted, element, link, note, tag, time } from './elements.js';
import { linkTo } from './place.js';

export const clusterLink = (id, title) => link(linkTo({ view: 'clusters', id }), title || 'a cluster');

const stateWords = {
  tentative: ['tentative', 'Only one run says so: the next one confirms it or takes it back.'],
  reverted: ['taken back', 'The next run did not bear it out.'],
};

/// The clusters of one role that a decision concerns, as links.
function others(decision, role) {
  const links = decision.others.filter((other) => other.role === role).map((other) => clusterLink(other.id, other.title));
  if (links.length === 0) return ['another cluster'];
  return links.flatMap((one, i) => (i === 0 ? [one] : [i === links.length - 1 ? ' and ' : ', ', one]));
}

const ownWords = (decision) => (decision.others.filter((other) => other.role === 'child').length > 1
  ? ' are clusters of their own now' : ' is a cluster of its own now');

const sentences = {
  new: {
    split: (decision) => ['split off from ', ...others(decision, 'parent')],
    shed: (decision) => ['broke away from ', ...others(decision, 'parent'), ', as a small part of it'],
  },
  updated: {
    continuation: () => ['went on'],
    growth: (decision) => [`grew from ${decision.old_size} to ${counted(decision.new_size, 'member')}`],
    contraction: (decision) => [`shrank from ${decision.old_size} to ${counted(decision.new_size, 'member')}`],
    merge: (decision) => ['merged with ', ...others(decision, 'source'), ', which is part of it now'],
    absorb: (decision) => ['took in ', ...others(decision, 'source'), ', a small one'],
    split: (decision) => ['split: ', ...others(decision, 'child'), ownWords(decision)],
    shed: (decision) => ['lost ', ...others(decision, 'child'), ', a small part of it'],
    resurgence: () => ['is back'],
  },
  dissolved: {
    merge: (decision) => ['merged into ', ...others(decision, 'into')],
    absorb: (decision) => ['was taken in by ', ...others(decision, 'into'), ', which is much larger'],
  },
};
const fallback = { new: 'appeared', updated: 'changed', dissolved: 'dissolved' };

/// What happened, as text and links that follow the name of the cluster.
export function eventWords(decision) {
  const words = sentences[decision.outcome]?.[decision.class];
  return words ? words(decision) : [fallback[decision.outcome] || decision.class];
}

export const stateTag = (decision) => (stateWords[decision.state] ? [' ', tag(...stateWords[decision.state])] : []);

function eventItem(decision) {
  return element('li', {
    className: `event ${decision.state === 'confirmed' ? 'firm' : 'open'}`,
    children: [clusterLink(decision.cluster, decision.title), ' ', ...eventWords(decision), '.', ...stateTag(decision),
      note(decision.reason)],
  });
}

/// Decisions, newest first, by the commit that they came with.
export function eventList(decisions) {
  const groups = new Map();
  for (const decision of decisions) groups.set(decision.commit, [...(groups.get(decision.commit) || []), decision]);
  return [...groups.values()].map((group) => element('section', {
    className: 'moment',
    children: [
      element('p', {
        children: [element('time', { datetime: group[0].at, text: time(group[0].at) }), ' · ',
          link(linkTo({ view: 'clusters', asOf: group[0].commit }), 'the clusters as of then')],
      }),
      element('ul', { className: 'events', children: group.map(eventItem) }),
    ],
  }));
}

const actions = {
  rename: (row) => [`called it “${row.title}”`],
  exclude: (row, members) => ['said that these do not belong to it: ', ...members],
  include: (row, members) => ['said that these belong to it: ', ...members],
  merge: (row) => ['said that ', clusterLink(row.other, 'another cluster'), ' is part of ', clusterLink(row.cluster, 'this one')],
  split: (row, members) => ['made ', row.other ? clusterLink(row.other, row.title) : 'a cluster', ' of some: ', ...members],
  close: () => ['closed it: it needs no more attention'],
  reopen: () => ['opened it again'],
  undo: () => ['took an earlier correction back'],
};

/// What a person did to a cluster. `nodeLink` makes a link of a member's key.
export function correctionItem(row, nodeLink) {
  const members = row.members.flatMap((key, i) => (i === 0 ? [nodeLink(key)] : [', ', nodeLink(key)]));
  if (row.member_count > row.members.length) members.push(` and ${row.member_count - row.members.length} more`);
  const actor = row.actor.replace(/^http:?/, '') || 'Somebody';
  const holds = row.in_force ? [] : [' ', tag('no longer in force')];
  const blocked = row.blocked ? note(`Runs would have put them back ${counted(row.blocked, 'time')}.`) : '';
  return element('li', {
    children: [`${time(row.created_at)}: ${actor} `, ...(actions[row.action]?.(row, members) || [row.action]), '.', ...holds,
      ...(row.reason ? [note(`Reason: ${row.reason}`)] : []), blocked],
  });
}

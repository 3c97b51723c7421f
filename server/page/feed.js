// News from the server, as it comes: the page never asks whether there is any.
const settleMillis = 500;
const refusedMillis = 5000;

/// Calls `onNews` once a commit or a cluster job, or a burst of them, is over, and after every gap in the feed. A browser
/// resumes a broken stream by itself, from the cursor that it had; one that was refused, because the server had only just
/// started, is asked for again.
export function follow(onNews) {
  let settle = null;
  const settled = () => {
    clearTimeout(settle);
    settle = setTimeout(onNews, settleMillis);
  };
  const feed = new EventSource('api/events?kind=commit,cluster_job_finished&branch=main');
  for (const event of ['hello', 'change', 'reset']) feed.addEventListener(event, settled);
  feed.addEventListener('error', () => {
    if (feed.readyState === EventSource.CLOSED) setTimeout(() => follow(onNews), refusedMillis);
  });
}

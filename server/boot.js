// Starts the page's program. This stands in the document itself, since what asks again for what did not come must not be
// missing too; the Content-Security-Policy knows it by its hash. It runs before the document has ended, since one that
// breaks off never does.

const { module, wasm } = document.getElementById('boot').dataset;
const later = (ms) => new Promise((over) => setTimeout(over, ms));

// What was drawn is not taken for current for longer than this, from when it began to come: the style sheet dims it.
const [came] = performance.getEntriesByType('navigation');
later(3_000 - (performance.now() - (came?.responseStart ?? 0))).then(() => document.documentElement.setAttribute('data-old', ''));

if (!globalThis.WebAssembly) throw new Error('this browser has no WebAssembly, so this page stands still');

// A trap ends the program for good: nothing that stands on the page then can be believed, and the program cannot say so.
// The style sheet does.
let trapped = false;
for (const name of ['error', 'unhandledrejection']) {
  addEventListener(name, (event) => {
    if (!((event.error ?? event.reason) instanceof WebAssembly.RuntimeError)) return;
    trapped = true;
    document.documentElement.setAttribute('data-stopped', '');
  });
}

// What answers at this page's address, if it is Masthead: a browser's own page about an error would stay for ever.
async function answered() {
  const asked = fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
  const text = await asked.then((answer) => answer.text()).catch(() => '');
  return /Masthead<\/title>/.test(text) ? text : '';
}

// Not more often than once a minute: servers of two builds behind one address would send it back and forth.
function loadAnew() {
  const key = 'masthead-reloaded-at';
  try {
    if (Math.abs(Date.now() - Number(sessionStorage.getItem(key))) < 60_000) return;
    sessionStorage.setItem(key, String(Date.now()));
  } catch {
    // Where a browser remembers nothing, somebody who is there can do it better.
    if (!document.querySelector('.wall') || performance.now() < 60_000) return;
  }
  location.reload();
}

// A wall has nobody who would load it anew when its program stops, or when it hangs on its way. The program says that it
// runs by turning `data-beat`.
function watchWall(wall) {
  // Half a minute each, of a machine that is awake.
  let quiet = 0;
  const heard = () => {
    if (!trapped) quiet = 0;
  };
  new MutationObserver(heard).observe(wall, { attributeFilter: ['data-beat'] });
  setInterval(async () => {
    quiet += 1;
    if (quiet >= 6 && (await answered()) && quiet >= 6) loadAnew();
  }, 30_000);
}

// Whether all of the document has come. One of which nothing more comes has broken off.
async function isWhole() {
  const parsed = new Promise((over) => addEventListener('DOMContentLoaded', over));
  for (let seen = -1; document.readyState === 'loading'; await Promise.race([parsed, later(10_000)])) {
    const there = document.documentElement.textContent.length;
    if (there === seen) return false;
    seen = there;
  }
  return true;
}
const whole = isWhole();
whole.then(() => {
  const wall = document.querySelector('.wall');
  if (wall) watchWall(wall);
});

// The network may go between the document and its program: browsers fail all that is on its way when a laptop changes
// networks. It is asked for until it comes.
let glue;
for (let tried = 0; ; tried += 1) {
  try {
    // Some browsers keep that a module did not come, by its address.
    glue ??= await import(tried ? `${module}?${tried}` : module);
    await glue.default({ module_or_path: new URL(wasm, location.href) });
    break;
  } catch (error) {
    console.warn('the program of this page did not come:', error);
  }
  await later(Math.min(1_000 * 2 ** tried, 30_000));
  // After an update there is another one at this address, and this one is no more.
  const there = await answered();
  if (there && !(there.includes(module) && there.includes(wasm))) loadAnew();
}
// Until this is set the style sheet says after a while that the page stands still.
if ((await whole) && glue.hydrate()) document.documentElement.setAttribute('data-runs', '');
else for (;; await later(10_000)) if (await answered()) loadAnew();

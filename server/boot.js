// Starts the page's program. build.rs puts the names of this build's files in place of these two.

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

// A wall has nobody who would load it anew when its program stops, or when it hangs on its way. The program says that it
// runs by turning `data-beat`.
const wall = document.querySelector('.wall');
if (wall) {
  // Half a minute each, of a machine that is awake.
  let quiet = 0;
  const heard = () => {
    if (!trapped) quiet = 0;
  };
  new MutationObserver(heard).observe(wall, { attributeFilter: ['data-beat'] });
  setInterval(async () => {
    quiet += 1;
    if (quiet < 6) return;
    // Only where the page answers: a browser's own page about an error would stay for ever.
    const answer = await fetch(location.href, { cache: 'no-store' }).catch(() => undefined);
    if (answer?.ok && quiet >= 6) location.reload();
  }, 30_000);
}

// The network may go between the document and its program: browsers fail all that is on its way when a laptop changes
// networks. It is asked for until it comes.
async function begin() {
  for (let tried = 0; ; tried += 1) {
    try {
      // Some browsers keep that a module did not come, by its address.
      const { default: init, hydrate } = await import(`./masthead.js${tried ? `?${tried}` : ''}`);
      await init({ module_or_path: new URL('./masthead_bg.wasm', import.meta.url) });
      return hydrate;
    } catch (error) {
      console.warn('the program of this page did not come:', error);
    }
    await new Promise((later) => setTimeout(later, Math.min(1_000 * 2 ** tried, 30_000)));
    await another();
  }
}

// Where there is another build by now, what this page asks for is no more: its own document is.
async function another() {
  const answer = await fetch(location.href, { cache: 'no-store' }).catch(() => undefined);
  const document = answer?.ok ? await answer.text().catch(() => '') : '';
  const own = new URL(import.meta.url).pathname.split('/').pop();
  if (document && !document.includes(own)) location.reload();
}

const hydrate = await begin();
hydrate();
// Until then the style sheet says after a while that this page stands still.
document.documentElement.setAttribute('data-runs', '');

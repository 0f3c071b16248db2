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

// A wall has nobody who would load it anew when its program stops, or when it never came because the network went
// between the document and the program. The program says that it runs by turning `data-beat`.
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

const { default: init, hydrate } = await import('./masthead.js');
await init({ module_or_path: new URL('./masthead_bg.wasm', import.meta.url) });
hydrate();

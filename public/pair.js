// Shows a code until somebody who is signed in confirms it; then this address shows the wall. Goes on for as long as it
// takes, whatever the network does.
const code = document.getElementById('code');
const said = document.getElementById('said');
const asked = said.textContent;
const again = (ms) => new Promise((done) => setTimeout(done, ms));
const pairing = `${location.pathname.replace(/\/$/, '')}/pair`;
for (;;) {
  const response = await fetch(pairing, { method: 'POST' }).catch(() => null);
  const answer = response?.ok ? await response.json().catch(() => null) : null;
  if (answer?.state === 'in') {
    location.reload();
    await again(10_000);
  } else if (answer?.code) {
    code.textContent = answer.code;
    said.textContent = asked;
  } else {
    said.textContent = `Masthead does not answer (${new Date().toLocaleTimeString()}). This goes on trying.`;
  }
  await again(3_000);
}

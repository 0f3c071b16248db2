// Hands a link's secret over and goes on to what it shows. The secret is in the fragment, which no server, proxy or
// log gets to see; from here on the browser keeps it in a cookie that no script can read.
const said = document.getElementById('said');
const [id, secret] = location.hash.slice(1).split('.');
history.replaceState(null, '', location.pathname);
if (!id || !secret) {
  said.textContent = 'This address is not complete: the part after # is missing. Open the link as it was given to you.';
} else {
  const response = await fetch(location.pathname, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ id, secret }),
  }).catch(() => null);
  if (response?.ok) {
    location.replace(`${location.pathname.replace(/\/$/, '')}/${id}/`);
  } else {
    const text = await response?.text().catch(() => '');
    said.textContent = text || 'Masthead does not answer. Open the link again in a moment.';
  }
}

import { axe, expect, test } from '../../helper';
import { views } from '../../views';

test.use({ mastheadArgs: ['demo-link'] });

test('a stranger looks around, and there is nothing to sign in at, to share or to fill', async ({ page, site, request }) => {
  test.slow();
  await page.goto('/');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await axe(page);
  const bar = page.getByRole('banner');
  await expect(bar.getByRole('link', { name: /Share|Signed in/ })).toHaveCount(0);
  for (const { path, heading, shows } of views) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(heading);
    await expect(page.getByRole('main')).toContainText(shows);
  }
  for (const path of ['/links', '/link', '/link/0123456789abcdef/', '/sessions', '/sign-in', '/metrics', '/wall/pair']) {
    expect((await request.get(path)).status(), path).toBeGreaterThanOrEqual(401);
    const posted = await request.post(path, { headers: { origin: site }, form: { name: 'x' } });
    expect(posted.status(), `POST ${path}`).toBeGreaterThanOrEqual(401);
  }
  const answer = await request.get('/api/v1/pods');
  expect(answer.status()).toBe(200);
  expect(answer.headers()['set-cookie'], 'nobody is counted').toBeUndefined();
  for (const [name, value] of [['x-robots-tag', 'noindex'], ['referrer-policy', 'no-referrer'], ['cache-control', 'no-store']] as const) {
    expect(answer.headers()[name], name).toBe(value);
  }
  expect(await page.context().cookies()).toEqual([]);
});

for (const [what, width, height] of [['a phone', 390, 844], ['a 4K monitor', 3840, 2160]] as const) {
  test(`it fits ${what}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    for (const path of ['/', '/pods', '/wall']) {
      await page.goto(path);
      await expect(page.getByText(/\blive\b/).first()).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), path).toBe(true);
    }
    await axe(page);
  });
}

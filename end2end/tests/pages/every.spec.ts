import { axe, expect, test, theme } from '../../helper';
import { views } from '../../views';

test.describe('without its program', () => {
  test.use({ javaScriptEnabled: false });

  for (const { path, heading, shows } of views) {
    test(`${path} can be read`, async ({ page, masthead }) => {
      await expect(async () => {
        expect((await page.request.get(`${masthead.url}/readyz`)).ok()).toBe(true);
      }).toPass();
      const answer = await page.goto(path);
      expect(answer?.status()).toBe(200);
      await expect(page.getByRole('heading', { level: 1 })).toContainText(heading);
      await expect(page.locator('main')).toContainText(shows);
      await expect(page.getByText('DEMO', { exact: true })).toBeVisible();
    });
  }
});

for (const { path, heading, shows } of views) {
  test(`${path} comes alive and passes an audit in both themes`, async ({ page }) => {
    test.slow(); // two audits of some thousand elements each
    await page.goto(path);
    await expect(page.locator('.freshness summary')).toContainText('live');
    await expect(page.getByRole('heading', { level: 1 })).toContainText(heading);
    await expect(page.locator('main')).toContainText(shows);
    await expect(page).toHaveTitle(/Masthead/);
    for (const scheme of ['light', 'dark'] as const) {
      await theme(page, scheme);
      await axe(page);
    }
  });

  test(`${path} fits a phone, a laptop and a wall`, async ({ page }) => {
    await page.goto(path);
    for (const width of [360, 1366, 3840]) {
      await page.setViewportSize({ width, height: 780 });
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(beyond, `at ${width} px the page is wider than the window by`).toBeLessThanOrEqual(0);
    }
  });
}

test('an address without a view says so', async ({ page }) => {
  const answer = await page.request.get('/nowhere');
  expect(answer.status()).toBe(404);
  expect(await answer.text()).toContain('Masthead');
});

test('what the server drew is what the program goes on with', async ({ page }) => {
  // A jump between the two would show as rows that are other elements afterwards.
  await page.route('**/*.wasm', async (route) => {
    await new Promise((go) => setTimeout(go, 300));
    await route.continue();
  });
  await page.goto('/nodes');
  const row = page.locator('table.rows tbody tr').filter({ hasText: 'demo-worker2' }).first();
  await row.evaluate((element) => ((element as unknown as { before: boolean }).before = true));
  await expect(page.locator('.freshness summary')).toContainText('live');
  expect(await row.evaluate((element) => (element as unknown as { before?: boolean }).before)).toBe(true);
});

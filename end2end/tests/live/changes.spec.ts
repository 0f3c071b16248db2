import { expect, test } from '../../helper';

// Twenty times as fast: what takes the tutorial minutes happens in seconds.
test.use({ mastheadArgs: ['--demo', '--demo-speed', '20'] });
test.setTimeout(90_000);

test('pods come and go by themselves, and the page ends up with what the server has', async ({ page, masthead }) => {
  await page.goto('/pods?namespace=default');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await page.evaluate(() => ((window as unknown as { same: boolean }).same = true));
  const names = async () => {
    const text = await (await page.request.get(`${masthead.url}/api/v1/pods?output=name&namespace=default`)).text();
    return text.trim().split('\n').map((name) => name.replace('pod/', ''));
  };
  const before = await names();
  await expect(async () => {
    const now = await names();
    expect(now.filter((name) => !before.includes(name)).length).toBeGreaterThan(1);
    expect(before.filter((name) => !now.includes(name)).length).toBeGreaterThan(1);
  }).toPass({ timeout: 60_000 });
  await expect(async () => {
    const links = page.locator('table.rows tbody tr:not(.gone) a.name');
    const shown = await links.evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? ''));
    const pods = shown.filter((href) => href.startsWith('/pods/')).map((href) => href.split('/').pop()!.split('?')[0]);
    expect(pods.sort()).toEqual((await names()).sort());
  }).toPass({ timeout: 20_000 });
  expect(await page.evaluate(() => (window as unknown as { same?: boolean }).same)).toBe(true);
});

test('a rolling update says what kubectl rollout status says', async ({ page }) => {
  await page.goto('/deployments/default/example-deployment-randomforest');
  const main = page.locator('main');
  // At the same moment, for at this speed it is over in a second.
  await page.waitForFunction(
    () => {
      const text = (selector: string) => document.querySelector(selector)?.textContent ?? '';
      const waits = /Waiting for deployment "example-deployment-randomforest" rollout to finish: \d/.test(text('main'));
      return waits && /progressing|waiting/.test(text('.head .status'));
    },
    undefined,
    { timeout: 60_000 },
  );
  await expect(main).toContainText('deployment "example-deployment-randomforest" successfully rolled out', {
    timeout: 60_000,
  });
  await expect(page.locator('.head .status')).toContainText('healthy');
});

import { expect, test } from '../../helper';

const card = '.probe-card';

test.beforeEach(async ({ page }) => {
  await page.goto('/probes');
  await expect(page.locator('.freshness summary')).toContainText('live');
});

test('the tutorial’s broken liveness probe is seen failing, ending its containers and starting again', async ({ page }) => {
  test.slow(); // fifteen seconds of delay and three failures
  const broken = page.locator(card).filter({ hasText: 'Liveness GET /predict on flask-port' });
  await expect(broken).toContainText('GET /predict on flask-port (5000) every 10 s after 15 s');
  await expect(broken).toContainText('Liveness: http-get http://:flask-port/predict delay=15s timeout=30s period=10s successThreshold=1 failureThreshold=3');
  await expect(broken).toContainText(/failing [123] of 3/, { timeout: 60_000 });
  await expect(broken).toContainText('HTTP probe failed with statuscode: 500');
  // the worst stands first
  await expect(page.locator(card).first()).toContainText('randomforest-healthcheck');
  await expect(broken).toContainText(/1: 1 over liveness/, { timeout: 60_000 });
  await expect(broken).toContainText('before its last start');
});

test('a pod’s page has the lanes of each of its containers, and their life in words', async ({ page }) => {
  const slow = page.locator(card).filter({ hasText: 'randomforest-slowstart' });
  await slow.locator('tbody a').first().click();
  const container = page.locator('.container').first();
  for (const lane of ['Startup', 'Liveness', 'Readiness']) await expect(container.locator('.probe').filter({ hasText: lane }).first()).toBeVisible();
  await expect(container.locator('.probe').filter({ hasText: 'Readiness GET' })).toContainText(/passing|held back by startup|no success yet|not asked before/);
  await expect(container.getByRole('img', { name: /^In the last/ })).toBeVisible();
  await container.locator('.life summary').click();
  await expect(container.locator('.life li').first()).toContainText(/ready|running/);
});

test('a workload’s page has them for all its pods', async ({ page }) => {
  await page.goto('/deployments/default/example-deployment-randomforest-slowstart');
  await expect(page.getByRole('heading', { name: 'Probes' })).toBeVisible();
  await expect(page.locator(card)).toHaveCount(1);
  await expect(page.locator(card).locator('tbody tr')).toHaveCount(2);
});

test('advice can be put away, by address too', async ({ page }) => {
  await expect(page.locator('.advice').first()).toContainText('Advice:');
  await page.getByRole('button', { name: 'Advice' }).click();
  await expect(page).toHaveURL(/advice=off/);
  await expect(page.locator('.advice')).toHaveCount(0);
  await page.goBack();
  await expect(page.locator('.advice').first()).toBeVisible();
});

test('namespace, selector and state narrow them', async ({ page }) => {
  await page.goto('/probes?namespace=team-fraud');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await expect(page.locator(card)).toHaveCount(1);
  await expect(page.locator(card)).toContainText('fraud-api');
  await page.goto('/probes?selector=k8s-app');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await expect(page.locator(card)).toContainText(['coredns']);
  await page.goto('/probes?state=healthy');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await expect(page.locator(card).filter({ hasText: 'coredns' })).toBeVisible();
  await expect(page.locator(card).filter({ hasText: 'randomforest-healthcheck' })).toHaveCount(0, { timeout: 60_000 });
});

test.describe('twenty times as fast', () => {
  test.use({ mastheadArgs: ['--demo', '--demo-speed', '20'] });

  test('nothing moves under a pointer, and how much waits is said', async ({ page }) => {
    const titles = () => page.locator(`${card} h3 a`).evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    await page.locator(card).first().locator('h3').hover();
    const before = await titles();
    const waiting = page.locator('.pending.any');
    await expect(waiting).toContainText(/\d+ changes? waiting/, { timeout: 60_000 });
    expect(await titles()).toEqual(before);
    await page.mouse.move(0, 0);
    await expect(waiting).toHaveCount(0);
  });
});

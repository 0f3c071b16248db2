import { expect, test } from '../../helper';

const rows = 'table.rows tbody tr:not(.spacer)';

test.beforeEach(async ({ page }) => {
  await page.goto('/pods');
  await expect(page.locator('.freshness summary')).toContainText('live');
});

test('the table has the cells that kubectl prints', async ({ page, masthead }) => {
  await page.goto('/pods?namespace=kube-system&wide=1');
  await expect(page.locator('.freshness summary')).toContainText('live');
  const text = await (await page.request.get(`${masthead.url}/api/v1/pods?output=wide&namespace=kube-system`)).text();
  const [header, ...lines] = text.trimEnd().split('\n');
  const headings = await page.locator('table.rows thead th').allInnerTexts();
  for (const heading of header.split(/ {2,}/)) expect(headings.map((h) => h.trim())).toContain(heading.trim());
  for (const line of lines) {
    const cells = line.split(/ {2,}/).map((cell) => cell.replace(/\s/g, ''));
    const row = page.locator(rows).filter({ hasText: cells[0] });
    const shown = (await row.locator('td, th').allInnerTexts()).map((cell) => cell.replace(/\s/g, ''));
    // A name that gives way in its middle is two pieces, hence no white space at all.
    // NAME READY STATUS RESTARTS _ IP NODE: AGE may have gone on by a second in between.
    for (const [at, cell] of cells.entries()) if (at !== 4) expect(shown.join('\n')).toContain(cell);
  }
});

test('a selector filters, in the address too, and an error points at the character', async ({ page }) => {
  const box = page.locator('#selector');
  await box.fill('app=rc-randomforest');
  await expect(page).toHaveURL(/selector=app(=|%3D)rc-randomforest/);
  await expect(page.locator(rows).first()).toContainText('example-replicacontroller');
  await expect(page.locator(rows).filter({ hasText: 'coredns' })).toHaveCount(0);
  await box.fill('app in (x');
  await expect(page.getByRole('alert')).toContainText("',' or ')'");
  await expect(page.locator('.pointed b').first()).toHaveText(/^ {9}\^$/);
  await box.fill('app=nothing-has-this');
  await expect(page.locator('main')).toContainText('app=nothing-has-this');
});

test('the same selector as in kubectl selects the same pods', async ({ page, masthead }) => {
  for (const selector of ['!app', 'app notin (rc-randomforest)', 'k8s-app,pod-template-hash', 'app!=random-forest-app']) {
    await page.goto(`/pods?selector=${encodeURIComponent(selector)}`);
    await expect(page.locator('.freshness summary')).toContainText('live');
    await expect(async () => {
      const answer = await page.request.get(
        `${masthead.url}/api/v1/pods?output=name&labelSelector=${encodeURIComponent(selector)}`,
      );
      const names = (await answer.text()).trim().split('\n').length;
      await expect(page.locator('.matches')).toContainText(String(names), { timeout: 500 });
    }).toPass();
  }
});

test('a click on a label filters, Alt-click excludes', async ({ page }) => {
  await page.goto('/pods?namespace=team-fraud');
  await expect(page.locator('.freshness summary')).toContainText('live');
  const chip = page.locator(`${rows} a`).filter({ hasText: 'fraud-api' }).and(page.locator('.chip, [class*=chip]')).first();
  await chip.click();
  await expect(page).toHaveURL(/selector=app(=|%3D)fraud-api/);
});

test('headings sort and say so', async ({ page }) => {
  const heading = page.locator('table.rows thead th').filter({ hasText: 'NAME' }).last();
  await heading.locator('a, button').first().click();
  await expect(page).toHaveURL(/sort=/);
  await expect(page.locator('table.rows thead th[aria-sort]:not([aria-sort=none])')).toHaveAttribute('aria-sort', /ascending|descending/);
});

test('pods are grouped by node', async ({ page }) => {
  await page.goto('/pods?group=node');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await expect(page.locator('main')).toContainText('demo-worker2');
  await page.goBack();
  await expect(page).toHaveURL(/\/pods$/);
});

test('search narrows, Escape leaves the box', async ({ page }) => {
  await page.keyboard.press('/');
  await expect(page.locator('#search')).toBeFocused();
  await page.keyboard.type('coredns');
  await expect(page.locator(rows)).toHaveCount(2);
  await page.keyboard.press('Escape');
  await expect(page.locator('#search')).not.toBeFocused();
});

test('the kubectl command for what is on screen is there to copy', async ({ page }) => {
  await page.goto('/pods?namespace=default&selector=app%3Drc-randomforest');
  await expect(page.locator('main')).toContainText('kubectl get pods -n default -l app=rc-randomforest');
});

test.describe('Masthead that starts again', () => {
  // What the console says of a socket that a stopped server refuses.
  test.use({ expectedErrors: [/WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/] });

  test('numbers its objects anew: nothing drawn by the old numbers stays, and whoever types goes on', async ({ page, masthead }) => {
    type Marked = Element & { old?: boolean };
    const search = page.locator('#search');
    await search.fill('example');
    await page.evaluate(() => document.querySelectorAll('main table.rows, main table.rows tr').forEach((part) => ((part as Marked).old = true)));
    await masthead.restart();
    const old = () => page.evaluate(() => [...document.querySelectorAll('main *')].filter((part) => (part as Marked).old).length);
    await expect.poll(old, { timeout: 25_000 }).toBe(0);
    await expect(page.locator('.freshness summary')).toContainText('live', { timeout: 25_000 });
    await expect(page.locator('main table.rows')).toHaveCount(1);
    await expect(page).toHaveURL(/q=example/);
    await expect(search).toHaveValue('example');
    await expect(search).toBeFocused();
    await page.keyboard.press('End');
    await page.keyboard.type('-pod');
    await expect(page).toHaveURL(/q=example-pod/);
  });
});

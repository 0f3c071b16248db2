import { expect, test } from '../../helper';

// An update takes some ten seconds, and the undo comes a minute later.
test.use({ mastheadArgs: ['--demo', '--demo-speed', '3'] });
test.setTimeout(180_000);

test('a rollout is drawn while it happens: lanes, pods on their way, counts within the lines', async ({ page, masthead }) => {
  const name = 'example-deployment-randomforest';
  await page.goto(`/rollouts/default/${name}`);
  const newest = page.locator('.lane.newest');
  const revision = async () => Number(/Revision (\d+)/.exec((await newest.locator('h2').textContent()) ?? '')?.[1]);
  await expect(page.locator('.standing .says')).toContainText(name);
  await expect.poll(revision).toBeGreaterThan(0);
  const before = await revision();

  // An update: another lane below the old one, whose pods come while those of the old one go.
  await expect.poll(revision, { timeout: 120_000, intervals: [50] }).toBe(before + 1);
  const old = page.locator('.lane', { has: page.getByRole('heading', { name: `Revision ${before} (old)` }) });
  await expect(old.first()).toBeVisible();
  const told = page.locator('.standing .says');
  await expect(told).toContainText('successfully rolled out', { timeout: 60_000 });
  await expect(async () => {
    const stations = await newest.locator('tr.stop:not(.gone)').evaluateAll((rows) =>
      rows.map((row) => {
        const at = row.querySelector<HTMLTableCellElement>('td.current');
        return at ? row.closest('table')!.tHead!.rows[0]!.cells[at.cellIndex]!.textContent! : 'none';
      }),
    );
    expect(stations).toHaveLength(3);
    for (const station of stations) expect(station).toMatch(/Ready|Available/);
  }).toPass();
  await expect(old.first().locator('tr.stop.gone')).not.toHaveCount(0);
  await expect(old.first().locator('tr.stop:not(.gone)')).toHaveCount(0);

  // What was counted meanwhile stays between the lines, in the table as in the API.
  type Counts = { old: number; new: number; ready: number; available: number; floor: number; ceiling: number };
  const answer = await page.request.get(`${masthead.url}/api/v1/rollouts/default/deployment/${name}`);
  const { counts } = (await answer.json()) as { counts: Counts[] };
  expect(counts.some((point) => point.old > 0 && point.new > 0), 'both templates had pods at a time').toBe(true);
  for (const point of counts) {
    expect(point.old + point.new, JSON.stringify(point)).toBeLessThanOrEqual(point.ceiling);
    expect(point.available, JSON.stringify(point)).toBeGreaterThanOrEqual(point.floor);
  }
  await page.getByText('As a table').click();
  await expect(page.locator('.chart tbody tr')).not.toHaveCount(0);

  // What happened, and what differs: unless asked, between the last two; a link to any two of them.
  await expect(page.locator('.happened')).toContainText('The rollout succeeded');
  const lines = page.locator('.difference li');
  await expect(lines.filter({ hasText: 'added:' })).toContainText('image: aishpra/simple-randomforest');
  await page.getByLabel('from revision').selectOption(String(before + 1));
  await expect(page).toHaveURL(`${masthead.url}/rollouts/default/${name}?between=${before + 1},${before + 1}`);
  await expect(page.locator('.compared [role=status]')).toHaveText('Their templates are the same.');
  await page.reload();
  await expect(page.locator('.compared [role=status]')).toHaveText('Their templates are the same.');
  await page.goto(`/rollouts/default/${name}?between=1,99`);
  await expect(page.getByText('Of revisions 1 and 99 one is not there.')).toBeVisible();
});

test('a rollout in one line leads to its picture', async ({ page }) => {
  await page.goto('/workloads');
  const way = page.locator('table.deployments a.way').first();
  await expect(way).toBeVisible({ timeout: 120_000 });
  await expect(way.getByRole('img')).toHaveAttribute('aria-label', /^\d+ of \d+ updated, \d+ old, \d+ available; at least \d+, at most \d+$/);
  await way.click();
  await expect(page).toHaveURL(/\/rollouts\/default\/example-/);
  await expect(page.locator('.lane')).not.toHaveCount(0);
});

test('the list leads to a picture, worst first', async ({ page }) => {
  await page.goto('/rollouts');
  await expect(page.locator('.freshness summary')).toContainText('live');
  // Which one is the first may change between two looks: it is read once, and found by its address from then on.
  const [name, href] = await page.locator('.rollouts a.name').first().evaluate((link) => [link.textContent!, link.getAttribute('href')!]);
  await page.locator(`.rollouts a.name[href="${href}"]`).press('Enter');
  await expect(page).toHaveURL(/\/rollouts\/[^/]+\/[^?]+/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  await expect(page.locator('.lane')).not.toHaveCount(0);
});

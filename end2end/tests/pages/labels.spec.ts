import { type Page } from '@playwright/test';
import { axe, expect, test } from '../../helper';

const rows = 'table.rows tbody tr:not(.spacer)';

async function open(page: Page, path: string) {
  await page.goto(path);
  await expect(page.locator('.freshness summary')).toContainText('live');
}

/** The first chip of this label; its title begins with the label, on a line of its own. */
const chip = (page: Page, label: string, within = rows) => page.locator(`${within} .chip[title^="${label}\\a "]`).first();

test('a chip is a switch: it keeps what has the label, and once more all', async ({ page }) => {
  await open(page, '/pods?namespace=team-fraud');
  await expect(chip(page, 'app=fraud-api')).toHaveAttribute('aria-pressed', 'false');
  await chip(page, 'app=fraud-api').click();
  await expect(page).toHaveURL(/selector=app%3Dfraud-api$/);
  await expect(page.locator('#selector')).toHaveValue('app=fraud-api');
  await expect(page.locator('main')).toContainText('kubectl get pods -n team-fraud -l app=fraud-api');
  await expect(page.locator(rows).filter({ hasText: 'fraud-scorer' })).toHaveCount(0);
  await expect(chip(page, 'app=fraud-api')).toHaveAttribute('aria-pressed', 'true');
  await axe(page);
  await chip(page, 'app=fraud-api').click();
  await expect(page).toHaveURL(/\/pods\?namespace=team-fraud$/);
  await page.goBack();
  await expect(page).toHaveURL(/selector=app%3Dfraud-api$/);
});

test('Alt-click and Alt+Enter exclude, and each filter can be turned round or taken out by touch', async ({ page }) => {
  await open(page, '/pods?namespace=team-fraud');
  await chip(page, 'app=fraud-api').click({ modifiers: ['Alt'] });
  await expect(page).toHaveURL(/selector=app%21%3Dfraud-api$/);
  await expect(page.locator(rows).filter({ hasText: 'fraud-scorer' })).not.toHaveCount(0);
  await expect(page.locator(rows).filter({ hasText: 'fraud-api' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Instead: app=fraud-api' }).click();
  await expect(page).toHaveURL(/selector=app%3Dfraud-api$/);
  await page.getByTitle('Remove this filter: app=fraud-api').click();
  await expect(page).toHaveURL(/\/pods\?namespace=team-fraud$/);

  await chip(page, 'team=fraud').focus();
  await page.keyboard.press('Alt+Enter');
  await expect(page).toHaveURL(/selector=team%21%3Dfraud$/);
  await expect(page.locator('main')).toContainText('No pods in namespace team-fraud, with team!=fraud');
});

test('a chip on an object’s own page leads to those that are like it', async ({ page }) => {
  await open(page, '/pods/default/example-pod-randomforest');
  await chip(page, 'app=random-forest-app', '.facts').click();
  await expect(page).toHaveURL(/\/pods\?selector=app%3Drandom-forest-app$/);
  await open(page, '/nodes/demo-worker');
  await page.locator('.facts .chip').first().click();
  await expect(page).toHaveURL(/\/nodes\?selector=/);
});

test('a field selector filters, in the address, the command and the API too', async ({ page, masthead }) => {
  await open(page, '/pods');
  await page.locator('.fields summary').click();
  const box = page.locator('#fields');
  await box.fill('spec.nodeName=demo-worker,status.phase!=Pending');
  await expect(page).toHaveURL(/fields=spec\.nodeName%3Ddemo-worker,status\.phase%21%3DPending/);
  await expect(page.locator('main')).toContainText("kubectl get pods -A --field-selector 'spec.nodeName=demo-worker,status.phase!=Pending'");
  await expect(async () => {
    const selector = encodeURIComponent('spec.nodeName=demo-worker,status.phase!=Pending');
    const names = await (await page.request.get(`${masthead.url}/api/v1/pods?output=name&fieldSelector=${selector}`)).text();
    await expect(page.locator('.matches')).toContainText(`${names.trim().split('\n').length} of `, { timeout: 500 });
  }).toPass();
  await box.fill('spec.foo=x');
  await expect(page.locator('main')).toContainText('field label not supported: spec.foo (pods have metadata.name');
  await expect(page.locator(rows)).toHaveCount(0);
  await axe(page);
  await box.fill('metadata.name=a=b');
  await expect(page.locator('.pointed b').first()).toHaveText(/^ {15}\^$/);
});

test('what is in use is offered as one types, and taken with the keyboard', async ({ page }) => {
  await open(page, '/pods');
  const box = page.locator('#selector');
  const options = page.locator('#selector-offered [role=option]');
  await page.keyboard.press('l');
  await expect(box).toBeFocused();
  await page.keyboard.type('tea');
  await expect(options.first()).toContainText('team');
  await expect(box).toHaveAttribute('aria-expanded', 'true');
  await axe(page);
  await page.keyboard.press('ArrowDown');
  await expect(box).toHaveAttribute('aria-activedescendant', 'selector-offered-0');
  await page.keyboard.press('Enter');
  await expect(box).toHaveValue('team');
  await expect(options.first()).toHaveText('team=');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(box).toHaveValue('team=');
  await expect(options).toContainText([/^(fraud|listing)/, /^(fraud|listing)/]);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/selector=team%3D(fraud|listing)$/);
  // Escape closes the list, the next one leaves the box.
  await page.keyboard.type(',a');
  await expect(options.first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(options.first()).toBeHidden();
  await expect(box).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(box).not.toBeFocused();
});

test('labels: who has a key, who has not, and who selects on its values', async ({ page }) => {
  await open(page, '/labels');
  const team = page.getByRole('region', { name: /^team/ });
  const fraud = team.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'fraud', exact: true }) });
  await expect(fraud).toContainText(/\d+ pods/);
  const app = page.getByRole('region', { name: /^app / });
  const api = app.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'fraud-api', exact: true }) });
  await expect(api).toContainText('deployment/fraud-api');
  await expect(api).toContainText('service/fraud-api');

  const lacks = team.getByRole('link', { name: /\d+ pods$/ }).first();
  await expect(team).toContainText(/\d+ pods.* have no team/);
  await lacks.click();
  await expect(page).toHaveURL(/\/pods\?selector=%21team$/);
  await expect(page.locator(rows).filter({ hasText: 'fraud-api' })).toHaveCount(0);
});

test('labels: a search finds keys and values, and opens what is folded away', async ({ page }) => {
  await open(page, '/labels');
  const folded = page.locator('details.old');
  await expect(folded).not.toHaveAttribute('open');
  await expect(folded.locator('summary')).toContainText(/\d+ keys of Kubernetes' own/);
  await page.keyboard.press('/');
  await page.keyboard.type('pod-template');
  await expect(page).toHaveURL(/q=pod-template$/);
  await expect(page.getByRole('region', { name: /^pod-template-hash/ })).toBeVisible();
  await expect(page.getByRole('region', { name: /^team/ })).toHaveCount(0);
  await page.locator('#search').fill('listing');
  await expect(page.getByRole('region', { name: /^team/ }).getByRole('rowheader')).toHaveText(['listing']);
  await page.locator('#search').fill('nobody-has-this');
  await expect(page.locator('main')).toContainText('No key and no value contains “nobody-has-this”.');
});

test('who selects whom is told by the pod, its workload and the Labels view', async ({ page }) => {
  await open(page, '/pods?namespace=team-fraud&selector=app%3Dfraud-api');
  await page.locator(`${rows} a.name`).first().click();
  const by = page.getByRole('region', { name: 'Selected by' });
  await expect(by).toContainText('deployment/fraud-api owns it through a ReplicaSet app=fraud-api');
  await expect(by).toContainText('is its controller');
  await expect(by).toContainText('service/fraud-api selects it');
  await axe(page);
  await by.getByRole('link', { name: 'fraud-api' }).first().click();
  await expect(page).toHaveURL(/fraud-api/);

  await open(page, '/deployments/team-fraud/fraud-api');
  const selects = page.getByRole('region', { name: 'What it selects' });
  await expect(selects).toContainText(/\d+ pods? with app=fraud-api/);
  await expect(selects).toContainText(/service\/fraud-api selects \d+ pods? of its own/);
  await axe(page);
});

test('every table groups by any label and shows it as a column', async ({ page }) => {
  test.slow(); // four audits
  for (const [path, label, said] of [
    ['/workloads', 'team', 'team=fraud'],
    ['/nodes', 'kubernetes.io/hostname', 'kubernetes.io/hostname=demo-worker'],
    ['/', 'team', 'team=fraud'],
    ['/rollouts', 'team', 'team=fraud'],
  ] as const) {
    await open(page, path);
    await page.getByLabel('Group by').selectOption(`label:${label}`);
    await expect(page).toHaveURL(new RegExp(`group=label:${encodeURIComponent(label).replace(/\./g, '\\.')}`));
    await expect(page.locator('main')).toContainText(said);
    await axe(page);
  }
  await open(page, '/nodes?columns=label:kubernetes.io%2Fhostname');
  await expect(page.locator('table.rows thead')).toContainText('HOSTNAME');
  await open(page, '/events');
  await page.getByLabel('Group by').selectOption('object');
  await expect(page.locator('tr.group').first()).toBeVisible();
});

test('on a phone the filters and the labels fit', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 780 });
  for (const path of ['/pods?selector=app%3Dfraud-api,team%20in%20(fraud,listing)&fields=status.phase%21%3DPending', '/labels?q=kubernetes', '/?group=label:app', '/deployments/team-fraud/fraud-api']) {
    await open(page, path);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond, `${path} is wider than the window by`).toBeLessThanOrEqual(0);
  }
});

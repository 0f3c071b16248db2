import { expect, test } from '../../helper';
import type { Page } from '@playwright/test';

const chip = '.freshness summary';
const day = 86_400_000;

/** The browser's clock, ahead of this machine's by as much as `putClock` says. */
async function clockOfItsOwn(page: Page, ahead: number) {
  await page.addInitScript((ahead) => {
    const page = window as unknown as { ahead: number };
    page.ahead = ahead;
    const now = Date.now.bind(Date);
    Date.now = () => now() + page.ahead;
  }, ahead);
}

const putClock = (page: Page, ahead: number) =>
  page.evaluate((ahead) => {
    (window as unknown as { ahead: number }).ahead = ahead;
  }, ahead);

/** Seconds of the age of the tutorial's pod, as the page has it. */
async function age(page: Page): Promise<number> {
  const row = page.locator('main tr', { hasText: 'example-pod-randomforest' }).first();
  const text = await row.locator('td').last().innerText();
  const units: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };
  return [...text.matchAll(/(\d+)([smhd])/g)].reduce((sum, [, number, unit]) => sum + Number(number) * units[unit], 0);
}

for (const [name, ahead] of [
  ['ahead', day],
  ['behind', -day],
] as const) {
  test(`a computer whose clock is a day ${name} shows the same ages, and is told`, async ({ page }) => {
    await page.goto('/pods');
    await expect(page.locator(chip)).toContainText('live');
    await expect(page.locator(`${chip} .apart`)).toHaveCount(0);
    const right = await age(page);
    await clockOfItsOwn(page, ahead);
    await page.reload();
    await expect(page.locator(`${chip} .apart`)).toHaveText('clocks apart');
    await expect(page.locator(chip)).toContainText('live');
    expect(Math.abs((await age(page)) - right)).toBeLessThan(30);
    await page.locator(chip).click();
    // A day, less what the first answer took.
    await expect(page.locator('.freshness p.apart')).toHaveText(
      new RegExp(`^This computer's clock is 2[34]h ${name === 'ahead' ? 'ahead of' : 'behind'} Masthead's\\. No age is counted by it\\.$`),
    );
  });
}

test('a clock that is put while somebody looks moves no age, and calls nothing old for long', async ({ page }) => {
  await clockOfItsOwn(page, 0);
  await page.goto('/pods');
  await expect(page.locator(chip)).toContainText('live');
  const right = await age(page);
  for (const ahead of [day, 0]) {
    await putClock(page, ahead);
    await expect(page.locator(`${chip} .apart`)).toHaveCount(ahead === 0 ? 0 : 1, { timeout: 15_000 });
    await expect(page.locator(chip)).toContainText('live', { timeout: 15_000 });
    expect(Math.abs((await age(page)) - right)).toBeLessThan(60);
  }
});

test.describe('of a cluster', () => {
  // Its clock runs twenty times as fast, and away.
  test.use({ mastheadArgs: ['--demo', '--demo-speed', '20'] });

  test('whose clock is ahead ages are counted by that one, and it is told', async ({ page, request, masthead }) => {
    await page.goto('/pods');
    await expect(page.locator(`${chip} .apart`)).toHaveText('clocks apart');
    await page.locator(chip).click();
    await expect(page.locator('.freshness p.apart')).toHaveText(
      /^The API server's clock is \w+ ahead of Masthead's\. Ages are counted by the API server's\.$/,
    );
    const metrics = await (await request.get(`${masthead.url}/metrics`)).text();
    expect(Number(/^masthead_api_server_clock_ahead_seconds (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(2);
  });
});

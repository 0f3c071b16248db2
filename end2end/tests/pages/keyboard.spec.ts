import { axe, expect, test } from '../../helper';

test.beforeEach(async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('.freshness summary')).toContainText('live');
});

test('? lists the keys', async ({ page }) => {
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keys' });
  await expect(help).toBeVisible();
  await axe(page);
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
});

test('g and a letter go to a view, back comes back', async ({ page }) => {
  for (const [letter, path] of [['p', '/pods'], ['w', '/workloads'], ['n', '/nodes'], ['e', '/events'], ['o', '/']] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    await expect(page).toHaveURL(new RegExp(`${path}$`));
  }
  await page.goBack();
  await expect(page).toHaveURL(/\/events$/);
});

test('j and k walk the rows, Enter opens one', async ({ page }) => {
  await page.goto('/nodes');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/nodes\/demo-control-plane/);
});

test('the palette jumps to an object by name', async ({ page }) => {
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Jump to' });
  await expect(palette.getByRole('combobox')).toBeFocused();
  await page.keyboard.type('fraud-scorer');
  await expect(palette.getByRole('option').first()).toContainText('fraud-scorer');
  await axe(page);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/fraud-scorer/);
});

test('t changes the theme and the address keeps it', async ({ page }) => {
  await page.keyboard.press('t');
  await expect(page.locator('html')).toHaveAttribute('data-theme', /light|dark/);
  await expect(page).toHaveURL(/theme=/);
});

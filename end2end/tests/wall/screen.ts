import { expect, type Page } from '@playwright/test';

/** Every screen a wall must fit: the smallest, the usual, the largest, one upright. */
export const screens = [
  { width: 1280, height: 720 },
  { width: 1920, height: 1080 },
  { width: 2560, height: 1440 },
  { width: 3840, height: 2160 },
  { width: 1080, height: 1920 },
] as const;

/** Of the shorter side of the screen: see `style/components/wall.css`. */
const least = 0.052;

/** The wall is live, and its data are not what was drawn by the server. */
export async function live(page: Page, timeout = 20_000) {
  await expect(page.locator('.fresh.live')).toHaveText('live', { timeout });
  await expect(page.locator('.not-live')).toHaveCount(0);
}

/** Nothing scrolls, nothing is beyond the screen or cut off in its height, and nothing is too small to be read. */
export async function fits(page: Page, what: string) {
  const found = await page.evaluate((least) => {
    const wrong: string[] = [];
    const { innerWidth: width, innerHeight: height } = window;
    const root = document.documentElement;
    if (root.scrollWidth > width || root.scrollHeight > height) wrong.push(`scrolls: ${root.scrollWidth}x${root.scrollHeight}`);
    const name = (element: Element) => `${element.tagName.toLowerCase()}.${element.className} "${element.textContent!.slice(0, 60)}"`;
    for (const element of document.querySelectorAll<HTMLElement>('.wall .sheet *')) {
      const box = element.getBoundingClientRect();
      if (!box.width || !box.height || element.closest('.cut')) continue; // a name is cut where its place ends
      const style = getComputedStyle(element);
      // What is cut at its end on purpose has its beginning on the screen.
      if (box.left < -1 || box.top < -1 || box.top > height || box.left > width) wrong.push(`outside: ${name(element)}`);
      if (element.matches('header, main, h1, section, ul, li, .name, .since, .calm p') && box.bottom > height + 1) wrong.push(`below: ${name(element)}`);
      if (element.matches('.sheet li') && !element.closest('.small-lanes') && element.scrollHeight > element.clientHeight + 2) {
        wrong.push(`higher than its place by ${element.scrollHeight - element.clientHeight}: ${name(element)}`);
      }
      const says = element.matches('.name') || [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent!.trim());
      const small = parseFloat(style.fontSize) < least * Math.min(width, height) - 0.5;
      if (says && small && !element.closest('.wall-said, .sr')) wrong.push(`small, ${style.fontSize}: ${name(element)}`);
    }
    return wrong;
  }, least);
  expect(found, what).toEqual([]);
}

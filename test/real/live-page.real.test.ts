/** The live page in a real browser, beside a rehearsal: it opens, follows, takes a mark, and keeps the verdict. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromium, type Browser, type Page } from 'playwright-core';
import { tell } from '../../src/report/story.ts';
import { readEvidence, readReport } from './cutwatch-run.ts';
import { startRehearsal, type Rehearsal } from './rehearsal.ts';
import { describeReal } from './servers/describe-real.ts';
import { programPath } from './servers/installed.ts';
import { waitUntil } from './servers/wait-until.ts';

describeReal('the live page', ['chromium'], () => {
  const stack = new AsyncDisposableStack();
  const complaints: string[] = [];
  let rehearsal: Rehearsal;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    rehearsal = stack.use(await startRehearsal('founding-migration', { stayS: 600 }));
    browser = await chromium.launch({ executablePath: programPath('chromium'), args: ['--no-sandbox'] });
    stack.defer(() => browser.close());
    page = await browser.newPage();
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  /** Numbers and their units are kept together by spaces that do not break. */
  const storyText = async (): Promise<string> => (await page.locator('#story').innerText()).replaceAll('\u00a0', ' ');

  test('the printed URL opens it, without the token in the address', async () => {
    await page.goto(rehearsal.url);
    expect(page.url()).toBe(`http://127.0.0.1:${String(rehearsal.port)}/`);
    await waitUntil('it shows something', async () => (await storyText()).trim() !== '', { withinMs: 30_000 });
  });

  test('a mark by its form lands in the evidence, and on the page', async () => {
    await page.getByLabel('Text of the mark').fill('<b>cron jobs</b> off');
    await page.getByRole('button', { name: 'mark' }).click();
    await page.getByText('marked: a note').waitFor();
    await page.getByText('<b>cron jobs</b> off').first().waitFor();
  });

  test('after a reload it is where it was', async () => {
    await page.reload();
    await waitUntil('it shows something', async () => (await storyText()).trim() !== '', { withinMs: 30_000 });
    await page.getByText('<b>cron jobs</b> off').first().waitFor();
  });

  test('it follows the run to its end, and says what the report says', async () => {
    await page.getByText('The run has ended. This page stays as it is.').waitFor({ timeout: 120_000 });
    const report = readReport(rehearsal.path);
    expect(report.marks.map(({ text }) => text)).toContain('<b>cron jobs</b> off');
    const story = await storyText();
    expect(story).toContain('FAIL');
    expect(story).toContain(tell(report).headline);
    expect(await page.locator('#charts canvas, #charts svg').count()).toBeGreaterThan(0);
  });

  test('what stands beside its charts is what a page says that is opened afterwards', async () => {
    const fresh = await browser.newPage();
    await fresh.goto(`http://127.0.0.1:${String(rehearsal.port)}/`);
    await fresh.locator('#charts .close-up').first().waitFor();
    const beside = async (of: Page): Promise<string[]> =>
      of.locator('#charts .label, #charts .events, #charts figcaption').allInnerTexts();
    const followed = await beside(page);
    expect(followed.join(' ')).toMatch(/judged lanes down, the one hit worst/);
    expect(followed).toEqual(await beside(fresh));
    expect(await page.getByRole('button', { name: 'mark' }).isVisible()).toBe(false);
    await fresh.close();
  });

  test('another site gets nothing, by no way that a browser has', async () => {
    const foreign = await browser.newPage();
    await foreign.goto('about:blank');
    const at = `http://127.0.0.1:${String(rehearsal.port)}`;
    const tried = await foreign.evaluate(async (url) => {
      const attempt = async (path: string, options: RequestInit): Promise<string> =>
        fetch(url + path, options).then(
          async (response) => `${String(response.status)} ${await response.text()}`,
          () => 'refused',
        );
      return Promise.all([
        attempt('/snapshot', { credentials: 'include' }),
        attempt('/mark', { method: 'POST', body: '{"text":"x"}', credentials: 'include' }),
        attempt('/mark', { method: 'POST', body: '{"text":"x"}', credentials: 'include', mode: 'no-cors' }),
      ]);
    }, at);
    expect(tried).toEqual(['refused', 'refused', 'refused']);
    await foreign.close();
    expect(readEvidence(rehearsal.path).entries.filter(({ type }) => type === 'marked')).toHaveLength(1);
  });

  test('the console was quiet: no error, and nothing that the policy refused', () => {
    expect(complaints).toEqual([]);
  });
});

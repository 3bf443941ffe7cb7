/**
 * report.html in a real browser, from disk: of a cutover that went wrong, with texts in it that somebody hostile chose. What
 * its pictures look like is for people: CUTWATCH_PICTURES=<folder> keeps them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { snapshotOf } from '../../src/cli/write-reports.ts';
import { durationBoundsText } from '../../src/core/quantity-text.ts';
import { html, livePageHtml } from '../../src/report/html.ts';
import { tell } from '../../src/report/story.ts';
import type { Snapshot } from '../../src/report/snapshot.ts';
import { play } from '../scenarios/simulated.ts';
import { describeReal } from './servers/describe-real.ts';
import { programPath } from './servers/installed.ts';
import { makeTemporaryFolder } from './servers/temporary-folder.ts';

/** Of the browser, in which some functions of this file run. */
declare function getComputedStyle(
  element: unknown,
  part?: string,
): { readonly left: string; readonly content: string; readonly backgroundColor: string };

const hostile = `</script><img src=x onerror="document.title='owned'">`;

/** Whatever a run takes from elsewhere, and shows. */
function poisoned(snapshot: Snapshot): Snapshot {
  const { report, picture } = snapshot;
  const rename = (name: string): string => name.replace('office', `office${hostile}`);
  return {
    ...snapshot,
    report: {
      ...report,
      run: { ...report.run, scenario: hostile },
      marks: [{ at: report.run.startedAt, text: hostile }],
      lanes: report.lanes.map((lane) => ({
        ...lane,
        name: rename(lane.name),
        resolver: lane.resolver === null ? null : rename(lane.resolver),
      })),
      findings: [
        { kind: 'k', service: null, severity: 'warn', text: hostile, evidence: [`x-header: ${hostile}`, 'b'] },
      ],
    },
    picture: {
      ...picture,
      lanes: picture.lanes.map((lane) => ({ ...lane, name: rename(lane.name) })),
      closeUps: picture.closeUps.map((closeUp) => ({
        ...closeUp,
        lanes: closeUp.lanes.map((lane) => ({ ...lane, name: rename(lane.name) })),
      })),
    },
  };
}

describeReal('report.html', ['chromium'], () => {
  const stack = new AsyncDisposableStack();
  const complaints: string[] = [];
  let browser: Browser;
  let snapshot: Snapshot;
  let folder: string;

  beforeAll(async () => {
    folder = stack.use(await makeTemporaryFolder()).path;
    snapshot = snapshotOf(await play('founding-migration'));
    writeFileSync(join(folder, 'report.html'), html(snapshot));
    writeFileSync(join(folder, 'hostile.html'), html(poisoned(snapshot)));
    browser = await chromium.launch({ executablePath: programPath('chromium'), args: ['--no-sandbox'] });
    stack.defer(() => browser.close());
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  const laptop = { width: 1280, height: 850 };
  async function open(name = 'report.html', options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: laptop, ...options });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(pathToFileURL(join(folder, name)).href);
    return page;
  }

  /** Where the failures of a service's strip begin and end, as shares of its width. */
  async function failedPart(page: Page): Promise<readonly [number, number]> {
    const strip = page.locator('details.service[data-service="orders"] > summary .plot');
    // What is out of sight is not drawn.
    await strip.scrollIntoViewIfNeeded();
    const [whole, failed] = [await strip.boundingBox(), await strip.locator('path.s-down').boundingBox()];
    if (whole === null || failed === null) throw new Error('nothing is drawn');
    return [(failed.x - whole.x) / whole.width, (failed.x + failed.width - whole.x) / whole.width];
  }

  test('says on its first screen what happened, to whom, for how long, why, and what to do', async () => {
    await using page = await open();
    const answers = page.locator('#story');
    for (const question of ['Who was down', 'For how long', 'Why', 'What to do']) {
      const asked = answers.getByText(question, { exact: true });
      const box = await asked.boundingBox();
      expect(box?.y).toBeLessThan(laptop.height);
    }
    const text = (await answers.innerText()).replaceAll('\u00a0', ' ');
    const { headline, answers: told } = tell(snapshot.report);
    expect(text).toContain(headline);
    for (const { lines } of told) expect(text).toContain(lines[0]);
  });

  test('the numbers beside its charts and in its tables are those of report.json', async () => {
    await using page = await open();
    const lanes = snapshot.report.lanes.filter(({ series, judged }) => series === 'raw' && judged);
    expect(lanes.length).toBe(6);
    for (const { service, client, name, slots, judgedPart } of lanes) {
      const down = durationBoundsText(judgedPart?.downtimeMs ?? { min: 0, max: 0 });
      const row = page.locator(`details.service[data-service="${service}"] .block .row`, { hasText: `${client} via` });
      expect(await row.first().innerText()).toContain(`down ${down}`);
      const cells = page
        .locator(`#sections details[data-service="${service}"] table`)
        .first()
        .locator('tr', { hasText: name });
      expect((await cells.locator('td.number').allInnerTexts()).slice(0, 2)).toEqual(
        [slots.good, slots.failed].map((count) => count.toLocaleString('en-GB')),
      );
      expect(await cells.innerText()).toContain(down);
    }
    await page.getByText('As a table: orders, as far as shown').click();
    const failed = await page.locator('.as-table tbody tr').first().locator('td').nth(5).innerText();
    expect(Number.parseInt(failed, 10)).toBe(lanes[0]?.slots.failed);
  });

  test('a drag zooms all charts, keys too, and the whole run comes back', async () => {
    await using page = await open();
    const shown = page.locator('.shown');
    const whole = await shown.innerText();
    const wide = await failedPart(page);
    const strip = page.locator('details.service[data-service="orders"] > summary .plot');
    const box = (await strip.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.2, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, y, { steps: 5 });
    await page.mouse.up();
    expect(await shown.innerText()).not.toBe(whole);
    const near = await failedPart(page);
    expect(near[1] - near[0]).toBeCloseTo((wide[1] - wide[0]) / 0.5, 1);
    await page.locator('#charts').focus();
    await page.keyboard.press('0');
    expect(await shown.innerText()).toBe(whole);
    await page.keyboard.press('+');
    expect(await shown.innerText()).not.toBe(whole);
    await page.getByRole('button', { name: 'Show the whole run' }).click();
    expect(await failedPart(page)).toEqual(wide);
  });

  test('one cursor goes through all charts, and what lies under it is told', async () => {
    await using page = await open();
    const row = page
      .locator('details.service[data-service="orders"] .block .row', { hasText: 'users-machines via' })
      .first();
    await row.scrollIntoViewIfNeeded();
    const [from, to] = await failedPart(page);
    const box = (await row.locator('.plot').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(box.x + box.width * ((from + to) / 2), box.y + 10);
    const tip = await page.locator('.tip').innerText();
    expect(tip).toMatch(
      /^users-machines via office\n\+[\d.]+ s · \d\d:\d\d:\d\d\.\d{3} UTC\nFAILED: \d+ \(100 %\)\n\s+connection refused/,
    );
    const cursors = await page
      .locator('.plot:visible')
      .evaluateAll((plots) => plots.map((plot) => getComputedStyle(plot, '::after').left === 'auto'));
    expect(cursors.length).toBeGreaterThan(20);
    expect(cursors.filter(Boolean).length).toBeLessThan(cursors.length / 4);
    await page.locator('#charts').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.tip').innerText()).not.toBe(tip);
  });

  test('a filter hides what it does not name, in charts and in tables', async () => {
    await using page = await open();
    await page.locator('.toolbar').getByLabel('service').selectOption('billing');
    expect(await page.locator('[data-service="orders"]:visible').count()).toBe(0);
    expect(await page.locator('[data-service="billing"]:visible').count()).toBe(2);
    await page.locator('.toolbar').getByLabel('client').selectOption('fresh');
    expect(
      await page.locator('details.service[data-service="billing"] .row:visible', { hasText: 'keep-alive via' }).count(),
    ).toBe(0);
    const clients = await page
      .locator('tr[data-client]:visible')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-client')));
    expect([...new Set(clients)]).toEqual(['fresh']);
  });

  test('in the dark it is dark, its lines too, and in print it is not', async () => {
    await using page = await open('report.html', { colorScheme: 'dark' });
    const paper = (): Promise<string> =>
      page.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);
    expect(await paper()).toBe('rgb(21, 23, 27)');
    const chart = page.locator('.lines canvas').first();
    await chart.scrollIntoViewIfNeeded();
    const picture = (): Promise<string> =>
      chart.evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());
    const dark = await picture();
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(picture).not.toBe(dark);
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    expect(await paper()).toBe('rgb(255, 255, 255)');
  });

  test('printed, it has the charts of every service, and nothing hangs over the edge', async () => {
    await using page = await open();
    const pdf = await page.pdf({ format: 'A4', margin: { top: '12mm', right: '12mm', bottom: '12mm', left: '12mm' } });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.setViewportSize({ width: 703, height: 1000 });
    await page.emulateMedia({ media: 'print' });
    const undrawn = await page
      .locator('.charts .row .plot:not(.axis):visible')
      .evaluateAll(
        (plots) =>
          plots.filter((plot) => !plot.classList.contains('u-over') && plot.querySelector('svg') === null).length,
      );
    expect(undrawn).toBe(0);
    const over = await page.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
    expect(over).toBeLessThanOrEqual(2);
  });

  test('on a phone nothing is lost to the side: each cell says what it is of', async () => {
    await using page = await open('report.html', { viewport: { width: 420, height: 900 } });
    const over = await page.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
    expect(over).toBe(0);
    const cell = page.locator('#sections td[data-of="Downtime"]').first();
    expect(await cell.evaluate((one) => getComputedStyle(one, '::before').content)).toBe('"Downtime: "');
    expect(await page.getByRole('table').first().getByRole('cell').count()).toBeGreaterThan(20);
  });

  test('without script its story and its tables are there', async () => {
    await using page = await open('report.html', { javaScriptEnabled: false });
    expect(await page.locator('#story h1').innerText()).toContain('were down while they moved');
    expect(await page.locator('#sections table:visible').count()).toBeGreaterThan(10);
  });

  test('hostile text stays text, in the story, the charts, the tables and what is told', async () => {
    await using page = await open('hostile.html');
    expect(await page.locator('img').count()).toBe(0);
    const seen = await page.locator('main').innerText();
    expect(seen.split(hostile).length).toBeGreaterThan(10);
    const row = page.locator('details.service .block .row', { hasText: 'fresh via office' }).first();
    await row.scrollIntoViewIfNeeded();
    await row.locator('.plot').hover();
    expect(await page.locator('.tip').innerText()).toContain(`fresh via office${hostile}`);
    await page.getByText('As a table: orders, as far as shown').click();
    expect(await page.title()).toBe(`FAIL: ${hostile}`);
    expect(await page.locator('img').count()).toBe(0);
  });

  test('live, it keeps zoom, filter and place while numbers come, and says when the connection is lost', async () => {
    await using page = await browser.newPage({ viewport: laptop });
    const site = 'http://127.0.0.1:9';
    let snapshotCount = 0;
    await page.route(`${site}/`, (route) => route.fulfill({ contentType: 'text/html', body: livePageHtml() }));
    await page.route(`${site}/snapshot`, (route) => {
      snapshotCount += 1;
      const marks = [{ at: snapshot.report.run.startedAt, text: `mark ${snapshotCount}` }];
      return route.fulfill({ json: { ...snapshot, report: { ...snapshot.report, marks }, isRunning: true } });
    });
    let isReachable = true;
    await page.route(`${site}/events`, (route) =>
      isReachable
        ? route.fulfill({
            contentType: 'text/event-stream',
            body: 'retry: 100\nid: 1\ndata: {"sequence":1,"isRunning":true}\n\n',
          })
        : route.abort(),
    );
    await page.goto(`${site}/`);
    await page.getByText('mark 1').first().waitFor();
    expect(await page.locator('.verdict').innerText()).toBe('FAIL so far');
    await page.locator('.toolbar').getByLabel('service').selectOption('billing');
    await page.locator('#charts').focus();
    await page.keyboard.press('+');
    const shown = await page.locator('.shown').innerText();
    const placeOf = (): Promise<number> =>
      page.locator('#charts').evaluate((charts) => charts.getBoundingClientRect().top);
    const place = await placeOf();
    expect(place).toBeLessThan(laptop.height / 2);
    const before = snapshotCount;
    await expect.poll(() => snapshotCount).toBeGreaterThan(before + 3);
    expect(await page.locator('.shown').innerText()).toBe(shown);
    expect(await page.locator('[data-service="orders"]:visible').count()).toBe(0);
    expect(Math.abs((await placeOf()) - place)).toBeLessThan(4);
    isReachable = false;
    await page.getByText('Connection lost. What is shown is not the newest').waitFor();
  });

  test('the console was quiet all the while: no error, and nothing that the policy refused', () => {
    expect(complaints).toEqual([]);
  });

  const kept = process.env['CUTWATCH_PICTURES'];
  const keepPictures = async (to: string): Promise<void> => {
    mkdirSync(to, { recursive: true });
    await using page = await open();
    await page.screenshot({ path: join(to, 'report-laptop.png') });
    await page.locator('#over-time').evaluate((section) => section.scrollIntoView());
    const row = page.locator('.block .row', { hasText: 'users-machines via office' }).first();
    await row.locator('.plot').hover({ position: { x: 420, y: 12 } });
    await page.screenshot({ path: join(to, 'report-charts.png') });
    await using dark = await open('report.html', { colorScheme: 'dark' });
    await dark
      .locator('details.service .chart')
      .first()
      .evaluate((chart) => chart.scrollIntoView({ block: 'center' }));
    await dark.screenshot({ path: join(to, 'report-dark.png') });
    await using phone = await open('report.html', { viewport: { width: 420, height: 900 } });
    await phone.locator('#over-time').evaluate((section) => section.scrollIntoView());
    await phone.screenshot({ path: join(to, 'report-phone.png') });
    expect(readFileSync(join(to, 'report-phone.png')).length).toBeGreaterThan(10_000);
  };
  if (kept !== undefined) test('its pictures are kept', () => keepPictures(kept));
});

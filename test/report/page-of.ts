/** The page of a report, without what is the same in every page: script and style are tested in page-bundle.test.ts. */
import { html } from '../../src/report/html.ts';
import { pageScript, pageScriptSha256, pageStyle, pageStyleSha256 } from '../../src/report/page-bundle.ts';
import type { Report } from '../../src/report/shape.ts';
import { snapshotOf } from './picture-of.ts';

const binCount = 7;

export function pageOf(report: Report): string {
  return html(snapshotOf(report, binCount))
    .replace(pageScript, () => '…')
    .replace(pageStyle, () => '…')
    .replace(pageScriptSha256, 'script')
    .replace(pageStyleSha256, 'style');
}

/**
 * Bundles the page's browser code and style into `src/report/page-bundle.ts`: a module, so that `report` stays pure and the
 * package needs no files beside its own. It is committed; a test makes it again and compares.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
export const bundlePath: string = join(root, 'src/report/page-bundle.ts');

/** Whoever passes a page on passes uPlot on, whose licence asks for its notice. */
const licence = readFileSync(join(root, 'node_modules/uplot/LICENSE'), 'utf8');
const banner = { js: `/*! uPlot. ${licence.trim()} */` };

export async function bundleText(): Promise<string> {
  const script = await bundled('src/page/main.ts');
  const style = await bundled('src/page/page.css');
  return [
    '/** Made by `npm run pages` from src/page; not to be edited. The hashes are SHA-256, base64, for the policy of the page. */',
    constant('pageScript', script),
    constant('pageScriptSha256', sha256(script)),
    constant('pageStyle', style),
    constant('pageStyleSha256', sha256(style)),
    '',
  ].join('\n');
}

async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    absWorkingDir: root,
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    target: 'es2022',
    banner,
    logLevel: 'error',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`${entry} gave no bundle`);
  return file.text;
}

function constant(name: string, text: string): string {
  return `export const ${name}: string =\n  ${JSON.stringify(text)};`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

if (import.meta.main) writeFileSync(bundlePath, await bundleText());

/** Who asks for no platform waits for none of their SDKs, and has nothing of them in memory. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'cutwatch-loaded-'));
afterAll(() => rmSync(folder, { recursive: true }));

const main = resolve('src/cli/main.ts');
const hook = new URL('./loaded-packages.ts', import.meta.url).href;
const scenario = `
name: nobody
services: [{ name: orders, url: "http://127.0.0.1:9/ready" }]
sides: { old: { addresses: [127.0.1.1] }, new: { addresses: [127.0.2.1] } }
resolvers: [{ name: vpc, address: "127.0.0.1:9" }]
authorities: none
clients: [fresh]
change: { baselineS: 0, waitS: 0, convergenceTimeoutS: 0, tailS: 0 }
`;
writeFileSync(join(folder, 'plain.yaml'), scenario);
// Credentials of nobody, and nobody at that port: it is asked, in vain.
writeFileSync(join(folder, 'route53.yaml'), `${scenario}route53: true\n`);
const env = {
  ...process.env,
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  AWS_ACCESS_KEY_ID: 'nobody',
  AWS_SECRET_ACCESS_KEY: 'nothing',
  AWS_EC2_METADATA_DISABLED: 'true',
};

function packagesOf(...args: string[]): readonly string[] {
  const { stderr } = spawnSync(process.execPath, ['--import', hook, main, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env,
  });
  // A line of each thread.
  const loaded = [...stderr.matchAll(/^loaded: (.*)$/gm)].flatMap(([, names = '']) => names.split(' '));
  return loaded.filter((name) => name !== '');
}

const ofPlatforms = /^@aws|^@smithy|^@kubernetes|^p-limit/;

test.for([['--help'], ['plan', 'route53.yaml'], ['run', 'plain.yaml']])(
  'cutwatch %s %s loads nothing of them',
  (args) => {
    const packages = packagesOf(...args);
    expect(packages).toContain('commander');
    expect(packages.filter((name) => ofPlatforms.test(name))).toEqual([]);
  },
);

test('a run that asks Route 53 loads its client, and none of the others', () => {
  const clients = packagesOf('run', 'route53.yaml').filter((name) => /^@aws-sdk\/client|^@kubernetes/.test(name));
  expect(clients).toEqual(['@aws-sdk/client-route-53']);
});

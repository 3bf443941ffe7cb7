/** `cutwatch init` beside real name servers: what it writes is what DNS says, and can be planned and checked as it is. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { describeReal } from './servers/describe-real.ts';
import { cutwatch, startStage } from './stage.ts';

describeReal('a first scenario', ['nginx', 'named', 'nsupdate', 'unbound', 'openssl'], () => {
  test('says where the name leads today, and the preflight of it finds both sides', async () => {
    await using stage = await startStage({ orders: 'old' }, 47);
    const { url = '' } = stage.service('orders');
    const out = join(stage.folder, 'first.yaml');
    const resolver = `${stage.unbound.address}:${stage.unbound.port}`;
    const sides = ['--old', '127.0.1.1', '--new', '127.0.2.1'];
    const { exitCode, stderr } = await cutwatch('init', '--url', url, ...sides, '--resolver', resolver, '--out', out);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('is written')]);
    const text = await readFile(out, 'utf8');
    expect(text).toContain('# orders.shop.test: leads to 127.0.1.1 today');
    expect(parse(text)).toMatchObject({ services: [{ name: 'orders', url }] });
    const planned = await cutwatch('plan', out, '--json');
    expect(JSON.parse(planned.stdout)).toMatchObject({ problems: [], services: [{ name: 'orders' }] });
    const { stdout } = await cutwatch('preflight', out, '--json', '--memory', join(stage.folder, 'memory.json'));
    const { checks } = JSON.parse(stdout) as { checks: { check: string; subject: string; result: string }[] };
    const answers = checks
      .filter(({ check }) => check === 'answer')
      .map(({ subject, result }) => `${result} ${subject}`);
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.filter((text) => !text.startsWith('pass'))).toEqual([]);
  });
});

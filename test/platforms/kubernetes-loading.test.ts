/** What a run loads of the Kubernetes client, which takes 0.6 s: nothing, unless its scenario asks for it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeKubeconfig } from './kubeconfig.ts';

/** Of what a program loads, the files of the client. */
async function clientFilesOf(program: string): Promise<number> {
  const counting = `
    import { registerHooks } from 'node:module';
    let count = 0;
    registerHooks({
      load(url, context, next) {
        if (url.includes('/@kubernetes/client-node/')) count += 1;
        return next(url, context);
      },
    });
    ${program}
    console.log(count);
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', counting]);
  return Number(stdout.trim());
}

const url = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

test('the program, and the room of the platforms, load nothing of it', async () => {
  expect(
    await clientFilesOf(`
      await import(${url('cli/run-command.ts')});
      await import(${url('platforms/platforms.ts')});
      await import(${url('platforms/kubernetes-observer.ts')});
      await import(${url('platforms/kubernetes-reading.ts')});`),
  ).toBe(0);
});

test('who looks at Kubernetes loads it', async () => {
  using config = writeKubeconfig({ server: 'https://127.0.0.1:6443' });
  expect(
    await clientFilesOf(`
      const { newKubernetesLogin } = await import(${url('platforms/kubernetes-login.ts')});
      const { newClock } = await import(${url('net/clock.ts')});
      const spec = ${JSON.stringify(config.spec)};
      await newKubernetesLogin({ spec, clock: newClock(process.hrtime.bigint()) }).way();`),
  ).toBeGreaterThan(100);
});

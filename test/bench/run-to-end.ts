import { spawn } from 'node:child_process';

/** Runs a program that must succeed; fails with what it said. */
export function runToEnd(words: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const [program = '', ...args] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${words.join(' ')} ended with ${code}: ${said}`));
    });
  });
}

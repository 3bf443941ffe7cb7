/** The command line: data goes to standard output, everything else to standard error. */
import { enableCompileCache } from 'node:module';
import { CommanderError } from '@commander-js/extra-typings';
import { UserError } from '../core/errors.ts';

enableCompileCache();

// Whoever reads our output may have seen enough (`| head`): that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`cutwatch: standard output cannot be written: ${error.message}\n`);
  process.exit(1);
});

try {
  const { program } = await import('./program.ts');
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version are no errors; everything else of commander is usage.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof UserError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  } else {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    // A thread or a timer of a broken run must not keep us alive.
    process.exit(1);
  }
}

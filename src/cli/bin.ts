#!/usr/bin/env node
/**
 * The installed command. It looks at Node's version before anything newer is loaded, so that an old Node gets one clear
 * line instead of a syntax error; nothing here may need a newer Node than that.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 24 || (major === 24 && minor >= 12)) {
  await import('./main.ts');
} else {
  process.stderr.write(`cutwatch needs Node 24.12 or newer; this is Node ${process.versions.node}.\n`);
  process.exitCode = 2;
}

export {};

/** `node --import` of this file: says on standard error, when the program ends, which packages it or its workers loaded. */
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';

const loaded = new Set<string>();
registerHooks({
  load(url, context, nextLoad) {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? [];
    if (name !== undefined) loaded.add(name);
    return nextLoad(url, context);
  },
});
process.on('exit', () => writeSync(2, `loaded: ${[...loaded].toSorted().join(' ')}\n`));

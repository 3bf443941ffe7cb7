import { parseSync, visitorKeys, type Node } from 'oxc-parser';

export interface Import {
  readonly specifier: string;
  /** Gone when the program runs. */
  readonly isTypeOnly: boolean;
}

export interface Module {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly imports: readonly Import[];
  /** Uses of the clock, of I/O and of randomness that need no import, as written: `Date.now`, `setTimeout` … */
  readonly globals: readonly string[];
}

/** Global names that reach the world outside. */
const worldly = new Set([
  'process',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
  'crypto',
  'WebSocket',
]);
/** Members of otherwise harmless globals that do. */
const worldlyMembers = new Set(['Date.now', 'Math.random', 'AbortSignal.timeout']);

/** What a module imports (a worker's `new URL('./x.ts', import.meta.url)` counts) and which worldly globals it uses. */
export function readModule(path: string, source: string): Module {
  const result = parseSync(path, source);
  const [error] = result.errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const imports: Import[] = [];
  const globals: string[] = [];
  visit(result.program, (node) => {
    imports.push(...importsOf(node));
    globals.push(...globalsOf(node));
  });
  return { path, imports, globals };
}

function importsOf(node: Node): readonly Import[] {
  if (node.type === 'ImportDeclaration') {
    const areTypes =
      node.specifiers.length > 0 &&
      node.specifiers.every((one) => one.type === 'ImportSpecifier' && one.importKind === 'type');
    return [{ specifier: node.source.value, isTypeOnly: node.importKind === 'type' || areTypes }];
  }
  if (node.type === 'ExportAllDeclaration' || node.type === 'ExportNamedDeclaration') {
    return node.source === null ? [] : [{ specifier: node.source.value, isTypeOnly: node.exportKind === 'type' }];
  }
  if (node.type === 'TSImportType') return [{ specifier: node.source.value, isTypeOnly: true }];
  if (node.type === 'ImportExpression') {
    return [{ specifier: textOf(node.source) ?? 'a name that is only known when it runs', isTypeOnly: false }];
  }
  if (node.type === 'NewExpression' && isNamed(node.callee, 'URL')) {
    const [first] = node.arguments;
    const specifier = first === undefined ? null : textOf(first);
    return specifier !== null && specifier.startsWith('.') ? [{ specifier, isTypeOnly: false }] : [];
  }
  return [];
}

function globalsOf(node: Node): readonly string[] {
  if (node.type === 'Identifier' && worldly.has(node.name)) return [node.name];
  if (node.type === 'NewExpression' && isNamed(node.callee, 'Date') && node.arguments.length === 0) return ['new Date'];
  if (node.type === 'MemberExpression' && node.object.type === 'Identifier' && node.property.type === 'Identifier') {
    const name = `${node.object.name}.${node.property.name}`;
    return worldlyMembers.has(name) ? [name] : [];
  }
  return [];
}

/** Calls `see` for every node, but not for names of properties and of types: `timer.process` is nobody's global. */
function visit(node: Node, see: (node: Node) => void): void {
  see(node);
  for (const key of visitorKeys[node.type] ?? []) {
    const isName = (key === 'property' || key === 'key') && !('computed' in node && node.computed);
    if (isName || node.type === 'TSTypeReference') continue;
    const child = (node as unknown as Readonly<Record<string, Node | readonly (Node | null)[] | null | undefined>>)[
      key
    ];
    for (const one of [child].flat()) {
      if (one !== null && one !== undefined) visit(one, see);
    }
  }
}

function isNamed(node: Node, name: string): boolean {
  return node.type === 'Identifier' && node.name === name;
}

function textOf(node: Node): string | null {
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : null;
}

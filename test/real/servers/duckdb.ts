import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const howToInstall = 'in a Python venv that is in PATH: pip install -r test/real/servers/duckdb.requirements.txt';

/** Of the Pythons in PATH, the first that has DuckDB; that of a venv need not be the first of all. */
function findPython(): string | null {
  const folders = new Set([...(process.env['PATH'] ?? '').split(':'), dirname(process.execPath)]);
  for (const folder of folders) {
    const path = join(folder, 'python3');
    if (spawnSync(path, ['-c', 'import duckdb']).status === 0) return path;
  }
  return null;
}

const python = findPython();

/** As `describeReal`; DuckDB is no Debian package. */
export function describeDuckDb(title: string, body: () => void): void {
  if (python !== null) return void describe(title, body);
  if (process.env['CUTWATCH_REQUIRE_REAL'] !== '1') return void describe.skip(title, body);
  describe(title, () => {
    test('needs DuckDB', () => expect.fail(`not installed; ${howToInstall}`));
  });
}

const script = `
import duckdb, json, sys
duckdb.sql("SET TimeZone = 'UTC'")
for statement in json.loads(sys.stdin.read()):
    result = duckdb.sql(statement)
names = result.columns
print(json.dumps([dict(zip(names, row)) for row in result.fetchall()], default=str))
`;

/** The rows of the last statement. */
export function duckDb(...statements: readonly string[]): Record<string, unknown>[] {
  const input = JSON.stringify(statements);
  return JSON.parse(execFileSync(python ?? 'python3', ['-c', script], { input, encoding: 'utf8' })) as Record<
    string,
    unknown
  >[];
}

/**
 * On a narrow screen a table's cells are lines of their own, and each says what it is of. Only there: in a long report it
 * would be a megabyte of words. The roles say that it still is a table.
 */
const roles = {
  TABLE: 'table',
  THEAD: 'rowgroup',
  TBODY: 'rowgroup',
  TR: 'row',
  TD: 'cell',
  TH: 'columnheader',
} as const;

export const narrow: MediaQueryList = matchMedia('(max-width: 44rem)');

/** To be called again when tables were made anew. */
export function markNarrowTables(root: ParentNode): void {
  if (!narrow.matches) return;
  for (const table of root.querySelectorAll('table')) {
    const names = [...table.querySelectorAll('th')].map(({ textContent }) => textContent);
    for (const part of [table, ...table.querySelectorAll('thead, tbody, tr, th, td')]) {
      part.setAttribute('role', roles[part.tagName as keyof typeof roles]);
    }
    for (const row of table.querySelectorAll('tbody tr')) {
      [...row.children].forEach((cell, i) => cell.setAttribute('data-of', names[i] ?? ''));
    }
    table.classList.add('stacked');
  }
}

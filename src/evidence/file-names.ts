/** What of a run folder is evidence; the rest are reports, which can be made again from it. */
export const fileNames = {
  journal: 'journal.ndjson',
  rows: 'probes.arrows',
  marks: 'marks.ndjson',
  access: 'access.ndjson',
} as const;

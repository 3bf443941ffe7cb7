/** A report as headings, sentences and tables: the one order and wording that Markdown and HTML share. */
import { runSections } from './run-sections.ts';
import type { Section } from './section.ts';
import { serviceSections } from './service-sections.ts';
import { serviceViews } from './service-view.ts';
import type { Report } from './shape.ts';

export function sections(report: Report): Section[] {
  const ofServices = serviceViews(report).flatMap((view) =>
    serviceSections(report, view).map((section) => ({ ...section, service: view.service.name })),
  );
  return [...ofServices, ...runSections(report)];
}

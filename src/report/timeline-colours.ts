/** Of the drawn timeline, in light and in the dark: those of the page, as the two hang side by side. */

export const colours = {
  paper: '#fbfaf8',
  ink: '#1f2328',
  faint: '#5d6470',
  line: '#e4e1da',
  mark: '#0b6bb5',
  good: '#2f7a5f',
  unsure: '#8a5f00',
  failed: '#c7372d',
  old: '#a3acb9',
  new: '#4f9d86',
  other: '#d5d2ca',
  baseline: '#d5d2ca',
  tail: '#8b929c',
} as const;

export type Colour = keyof typeof colours;

const dark: Readonly<Record<Colour, string>> = {
  paper: '#16181c',
  ink: '#e6e4df',
  faint: '#9aa0aa',
  line: '#2e3138',
  mark: '#7fb8ee',
  good: '#6fc3a5',
  unsure: '#e5b454',
  failed: '#ef5a4e',
  old: '#6d7684',
  new: '#4f9d86',
  other: '#3b3f47',
  baseline: '#3b3f47',
  tail: '#7b828c',
};

const rules = Object.entries(dark).map(
  ([name, colour]) => `.cw-${name}{fill:${colour}}.cw-${name}-line{stroke:${colour}}`,
);

export const darkStyle: string = `@media (prefers-color-scheme:dark){${rules.join('')}}`;

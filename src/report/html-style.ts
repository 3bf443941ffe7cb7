/**
 * The one style sheet of the page. Its hash stands in the page's Content-Security-Policy, so a pure room need not compute
 * it; a test does, and fails when they differ.
 */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --ink: #1f2328; --faint: #6b7280; --line: #e4e1da; --wash: #f3f1ec;
  --good: #2f7a5f; --bad: #b3261e; --unsure: #9a6a00;
  --old: #a3acb9; --new: #4f9d86; --down: #c7372d; --impaired: #d98a2b; --conflict: #8a63b8; --unknown: #d5d2ca; --theory: #0b6bb5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181c; --ink: #e6e4df; --faint: #9aa0aa; --line: #2e3138; --wash: #1e2126;
    --good: #6fc3a5; --bad: #ff8a80; --unsure: #e5b454;
    --old: #6d7684; --new: #4f9d86; --down: #ef5a4e; --impaired: #dd9a45; --conflict: #a586cf; --unknown: #3b3f47; --theory: #7fb8ee;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
main { max-width: 76rem; margin: 0 auto; padding: 3.5rem 2rem 5rem; }
header { border-bottom: 1px solid var(--line); padding-bottom: 2.25rem; margin-bottom: 1rem; }
.verdict {
  display: inline-block; margin: 0; padding: .2rem .75rem; border-radius: 99px; color: var(--paper);
  font-size: .8125rem; font-weight: 650; letter-spacing: .08em;
}
.verdict.pass { background: var(--good); } .verdict.fail { background: var(--bad); }
.verdict.inconclusive { background: var(--unsure); }
.run { margin: 0 0 0 .75rem; display: inline; color: var(--faint); font-size: .9375rem; }
h1 {
  max-width: 30em; margin: 1.1rem 0 2rem; text-wrap: balance;
  font: 500 clamp(1.5rem, 3.2vw, 2.125rem)/1.28 "Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif;
}
dl.answers { display: grid; grid-template-columns: 9.5rem minmax(0, 48rem); gap: .9rem 1.5rem; margin: 0; }
dl.answers dt { color: var(--faint); font-size: .9375rem; padding-top: .05rem; }
dl.answers dd { margin: 0; } dl.answers p { margin: 0 0 .4rem; } dl.answers p:last-child { margin: 0; }
h2 { margin: 3rem 0 .5rem; font-size: 1.25rem; font-weight: 620; }
h3 { margin: 1.75rem 0 .4rem; font-size: 1rem; font-weight: 620; }
section > p { max-width: 52rem; margin: .3rem 0 .9rem; color: var(--faint); }
p, dd, h1, h2 { overflow-wrap: anywhere; } td { overflow-wrap: break-word; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; line-height: 1.45; }
th { padding: .45rem .9rem .45rem 0; text-align: left; font-weight: 500; color: var(--faint); border-bottom: 1px solid var(--line); white-space: nowrap; }
td { padding: .5rem .9rem .5rem 0; vertical-align: top; border-bottom: 1px solid var(--line); min-width: 4.5rem; }
th.number, td.number { text-align: right; min-width: 0; }
td.number, td.short { white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
td.strip { min-width: 20rem; width: 45%; color: var(--faint); }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .unsure { color: var(--unsure); } .faint { color: var(--faint); }
svg { display: block; width: 100%; height: .8rem; margin: .2rem 0 .3rem; }
.s-old { fill: var(--old); } .s-new { fill: var(--new); } .s-down { fill: var(--down); } .s-impaired { fill: var(--impaired); }
.s-conflict { fill: var(--conflict); } .s-unknown { fill: var(--unknown); } .s-unseen { fill: none; }
.s-change { fill: var(--ink); }
td.curve { min-width: 17rem; width: 30%; }
svg.curve { height: auto; max-width: 26rem; overflow: visible; }
.c-seen { fill: var(--old); opacity: .4; } .c-unseen { fill: var(--old); opacity: .15; }
.c-axis { stroke: var(--line); fill: none; } .c-tick { fill: var(--faint); font-size: 10px; }
.c-steps { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.c-theory { stroke: var(--theory); stroke-width: 1.25; stroke-dasharray: 4 3; fill: none; }
.c-last { fill: var(--ink); }
dl.terms { display: grid; grid-template-columns: 9.5rem minmax(0, 48rem); gap: .55rem 1.5rem; font-size: .875rem; margin: 0; }
dl.terms dt { font-weight: 600; } dl.terms dd { margin: 0; color: var(--faint); }
@media (max-width: 40rem) {
  main { padding: 1.75rem 1.1rem 3rem; }
  .run { display: block; margin: .6rem 0 0; }
  dl.answers, dl.terms { grid-template-columns: minmax(0, 1fr); gap: .2rem; }
  dl.answers dd, dl.terms dd { margin-bottom: .9rem; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --faint: #555; --line: #ccc; --good: #1d5c46; --bad: #a0140d; --unsure: #7a5300; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; } .wide { overflow: visible; }
  table { font-size: 7.5pt; } td.strip { min-width: 11rem; }
  tr, dl.answers dd { break-inside: avoid; } h2, h3 { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

/** SHA-256 of `style`, base64. */
export const styleSha256 = 'Y2gNnyxXyBBp0uJfuy/9wLht63MlbcKVSMFmgxK3XwE=';

/**
 * Makes one piece of the page like another by changing only what differs, so that what a reader has scrolled, opened,
 * selected or focused stays as it was while numbers change under it.
 */
export function morph(current: Element, wanted: Element): void {
  morphAttributes(current, wanted);
  const [have, want] = [[...current.childNodes], [...wanted.childNodes]];
  want.forEach((next, i) => {
    const known = have[i];
    if (known === undefined) current.append(next);
    else if (known instanceof Element && next instanceof Element && known.tagName === next.tagName) morph(known, next);
    else if (known instanceof Text && next instanceof Text) {
      if (known.data !== next.data) known.data = next.data;
    } else known.replaceWith(next);
  });
  for (const extra of have.slice(want.length)) extra.remove();
}

function morphAttributes(current: Element, wanted: Element): void {
  for (const { name, value } of wanted.attributes) {
    if (current.getAttribute(name) !== value) current.setAttribute(name, value);
  }
  // A copy: the list itself gets shorter meanwhile.
  for (const { name } of Array.from(current.attributes)) {
    // Whether it is open is the reader's choice.
    if (!wanted.hasAttribute(name) && name !== 'open') current.removeAttribute(name);
  }
}

/** Of text that is escaped already. */
export function fromMarkup(markup: string): HTMLElement {
  const template = document.createElement('template');
  template.innerHTML = `<div>${markup}</div>`;
  const [made] = template.content.children;
  if (!(made instanceof HTMLElement)) throw new Error('markup is an element');
  return made;
}

/** Elements made of names, attributes and text. Text is always text: nothing here reads markup. */

type Child = Node | string;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A choice among options; `''` is all of them. */
export function choice(
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  chosen: string,
  onChange: (value: string) => void,
): HTMLLabelElement {
  const select = element(
    'select',
    {},
    ...options.map(([value, text]) => {
      const option = element('option', { value }, text);
      option.selected = value === chosen;
      return option;
    }),
  );
  select.addEventListener('change', () => onChange(select.value));
  return element('label', { class: 'choice' }, element('span', {}, label), select);
}

export function button(text: string, label: string, onClick: () => void): HTMLButtonElement {
  const made = element('button', { type: 'button', 'aria-label': label, title: label }, text);
  made.addEventListener('click', onClick);
  return made;
}

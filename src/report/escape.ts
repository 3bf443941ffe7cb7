/**
 * Header values, error texts, names and addresses in a report came from somebody else's server. Whatever they hold, they
 * are text: they may not become a tag, a table cell, a link, a mention or a colour of the terminal.
 */

/** Controls, and the invisible marks that turn the direction of text around so that it reads as something else. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu;

/** One line of text that a terminal cannot be steered with: line breaks and tabs are spaces, what is unprintable is `�`. */
export function plainText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\t\r\n]+/g, ' ')
    .replaceAll(unprintable, '\ufffd');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For HTML and XML, in text and in quoted attributes. */
export function markupText(text: string): string {
  return plainText(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

const linkBeginnings = /(:)(?=\/\/)|(www)(?=\.)|(@)/gi;

/**
 * For running text and table cells of Markdown. GitHub also makes links of bare addresses and mentions of names; a zero
 * width joiner after their first character prevents both and does not show.
 */
export function markdownText(text: string): string {
  return plainText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_{}[\]|~#!$]/g, String.raw`\$&`)
    .replaceAll(linkBeginnings, '$&\u2060');
}

/** For the title of a folded part, which is HTML within Markdown: of a scenario's own names. */
export function foldTitleText(text: string): string {
  return markupText(text).replaceAll(linkBeginnings, '$&\u2060');
}

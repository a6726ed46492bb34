/** How a tenant's pages look: one of a few themes, and its colours, made readable whatever they are. */

export const themes = ["default", "dark", "corporate", "gradient", "minimal"] as const;
export type ThemeName = (typeof themes)[number];

export interface Theme {
  readonly name: ThemeName;
  /** `#rrggbb` each; undefined: the theme's own. */
  readonly primaryColor: string | undefined;
  readonly backgroundColor: string | undefined;
}

/** The surfaces that links and headings of a page stand on, as gatewright.css has them. */
const CARD = { light: "#ffffff", dark: "#1a202a" } as const;
/** WCAG 2.2 §1.4.3. */
const READABLE = 4.5;

/** Where a theme's colours are served; undefined for one that sets none. The path says it all, so that caches may keep it. */
export function themeStylesheetPath({ primaryColor, backgroundColor }: Theme): string | undefined {
  if (!primaryColor && !backgroundColor) return undefined;
  const part = (color: string | undefined) => color?.slice(1).toLowerCase() ?? "none";
  return `/assets/theme-${part(primaryColor)}-${part(backgroundColor)}.css`;
}

/** The style sheet of such a path; undefined for any other. */
export function themeStylesheet(path: string): string | undefined {
  const [, primary, background] =
    /^\/assets\/theme-([\da-f]{6}|none)-([\da-f]{6}|none)\.css$/.exec(path) ?? [];
  if (!primary || !background) return undefined;
  const rules = [
    ...(primary === "none" ? [] : primaryRules(`#${primary}`)),
    ...(background === "none" ? [] : backgroundRules(`#${background}`)),
  ];
  return `${rules.join("\n")}\n`;
}

/** Buttons have the colour itself, with black or white on it; links a shade of it that can be read on the card. */
function primaryRules(color: string): string[] {
  // Away from the text on it, which is read all the better.
  const away = textOn(color) === "#ffffff" ? "#000000" : "#ffffff";
  const hover = mix(color, away, 0.15);
  const declarations = (card: string) => {
    const link = readableOn(card, color);
    return [
      `--pico-primary: ${link}`,
      `--pico-primary-hover: ${mix(link, luminance(card) > 0.5 ? "#000000" : "#ffffff", 0.25)}`,
      `--pico-primary-underline: ${link}73`,
      `--pico-primary-focus: ${link}8c`,
      `--gw-outline: ${link}`,
      `--pico-primary-background: ${color}`,
      `--pico-primary-border: ${color}`,
      `--pico-primary-hover-background: ${hover}`,
      `--pico-primary-hover-border: ${hover}`,
      `--pico-primary-inverse: ${textOn(color)}`,
      `--gw-gradient-end: ${mix(color, away, 0.5)}`,
    ].join("; ");
  };
  return [
    `:root:not([data-theme]) { ${declarations(CARD.light)} }`,
    `@media (prefers-color-scheme: dark) { :root:not([data-theme]) { ${declarations(CARD.dark)} } }`,
    `:root[data-theme="dark"] { ${declarations(CARD.dark)} }`,
  ];
}

/** The same in light and dark: whoever chose it chose it for their brand. */
function backgroundRules(color: string): string[] {
  const text = textOn(color);
  return [
    `:root:root { --gw-page-background: ${color}; --gw-on-background: ${text}; --gw-below: ${text}; --gw-link-on-background: ${text} }`,
  ];
}

/** Black or white, whichever is read better: one of them always reaches 4.5:1. */
export function textOn(background: string): "#ffffff" | "#000000" {
  return contrast("#ffffff", background) >= contrast("#000000", background) ? "#ffffff" : "#000000";
}

/** The colour, or as little darker or lighter as it takes to be read on `background`. */
export function readableOn(background: string, color: string): string {
  const towards = textOn(background);
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(color, towards, share);
    if (contrast(mixed, background) >= READABLE) return mixed;
  }
  return towards;
}

/** WCAG 2.2, "contrast ratio". */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** WCAG 2.2, "relative luminance". */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = channels(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mix(color: string, other: string, share: number): string {
  const others = channels(other);
  const mixed = channels(color).map((channel, index) =>
    Math.round(channel * (1 - share) + (others[index] ?? 0) * share),
  );
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

const channels = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));

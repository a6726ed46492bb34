/** @jsxImportSource preact */
/** Marks of providers, drawn by ourselves: a letter on the provider's colour. Their own art is theirs. */
import type { JSX } from "preact";

interface Mark {
  letter: string;
  background: string;
  colour: string;
}

const white = "#fff";
const marks: Readonly<Record<string, Mark>> = {
  google: { letter: "G", background: "#1a66d6", colour: white },
  github: { letter: "GH", background: "#24292f", colour: white },
  apple: { letter: "A", background: "#000", colour: white },
  microsoft: { letter: "M", background: "#0067b8", colour: white },
  discord: { letter: "D", background: "#4752c4", colour: white },
  facebook: { letter: "f", background: "#0a5fd0", colour: white },
  linkedin: { letter: "in", background: "#0a66c2", colour: white },
  x: { letter: "X", background: "#000", colour: white },
  gitlab: { letter: "GL", background: "#c2410c", colour: white },
  slack: { letter: "S", background: "#4a154b", colour: white },
};

/** Decoration beside the name, which says the same. */
export function ProviderMark({ preset }: { preset: string | null }): JSX.Element {
  const mark = preset !== null && Object.hasOwn(marks, preset) ? marks[preset] : undefined;
  return (
    <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
      {mark ? <Letter {...mark} /> : <Key />}
    </svg>
  );
}

function Letter({ letter, background, colour }: Mark): JSX.Element {
  return (
    <>
      {/* Told apart from a dark page by its rim. */}
      <rect x="0.5" y="0.5" width="23" height="23" rx="5.5" fill={background} stroke="#8a94a6" />
      <text
        x="12"
        y="12.5"
        fill={colour}
        font-size={letter.length > 1 ? "11" : "14"}
        font-weight="700"
        text-anchor="middle"
        dominant-baseline="central"
      >
        {letter}
      </text>
    </>
  );
}

/** Of an organization's own provider. */
function Key(): JSX.Element {
  return (
    <g fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round">
      <circle cx="8" cy="12" r="4" />
      <path d="M12 12h9M18 12v4M21 12v3" />
    </g>
  );
}

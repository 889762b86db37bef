/**
 * The look of badge and panel. It lives in a closed shadow root under a host with `all: initial`, so neither the
 * page's rules reach in nor these reach out. Colours: text on its own solid ground at 4.5:1 or more in both
 * schemes, whatever video is behind.
 */

// Solid, so that patches which overlap do not look like one with a higher score.
const SHADED = [15, 35, 55, 75, 95]
  .map((part, shade) => `.shade-${shade} { fill: color-mix(in srgb, var(--shade) ${part}%, var(--hover)); }`)
  .join('\n')

export const STYLE = `
* { box-sizing: border-box; }
.layer {
  --ground: #ffffff; --text: #1b1b1f; --soft: #55585e; --line: #6b6f76; --hover: #ececf1;
  --ai: #6d28d9; --edited: #8a4b00; --camera: #0b57d0; --plain: #55585e; --on-sign: #ffffff; --focus: #0b57d0;
  --warn: #8a1c1c;
  color-scheme: light dark; position: absolute; top: 0; left: 0;
  font: 12px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  color: var(--text); text-align: start; letter-spacing: normal;
}
@media (prefers-color-scheme: dark) {
  .layer {
    --ground: #1f1f23; --text: #f3f3f5; --soft: #bdc1c6; --line: #9aa0a6; --hover: #34343a;
    --ai: #c9b8ff; --edited: #f7c948; --camera: #9cc7ff; --plain: #bdc1c6; --on-sign: #1b1b1f; --focus: #9cc7ff;
    --warn: #ffb4ab;
  }
}
button { font: inherit; color: inherit; cursor: pointer; }
button:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
  outline: 2px solid var(--focus); outline-offset: 2px;
}
[part="badge"] {
  position: absolute; display: flex; align-items: center; gap: 6px; width: max-content; max-width: 300px;
  margin: 0; padding: 3px 10px 3px 4px; min-height: 24px; border: 1px solid var(--line); border-radius: 13px;
  background: var(--ground); color: var(--text); font-weight: 600; white-space: nowrap;
  box-shadow: 0 1px 3px rgb(0 0 0 / .35); pointer-events: auto; user-select: none;
}
[part="badge"]:hover { background: var(--hover); }
[part="badge"] .words { overflow: hidden; text-overflow: ellipsis; }
[part="badge"].compact { padding: 3px; }
[part="badge"].compact .words { display: none; }
.sign {
  display: grid; place-items: center; flex: none; width: 18px; height: 18px; border-radius: 50%;
  background: var(--plain); color: var(--on-sign);
}
[data-label="ai_generated"] .sign { background: var(--ai); }
[data-label="ai_edited"] .sign { background: var(--edited); }
[data-label="camera_original"] .sign { background: var(--camera); }
.glyph { width: 12px; height: 12px; display: block; }
.area { fill: currentColor; }
.lines { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
[data-state="checking"] .glyph { animation: turn 1.2s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
[part="panel"] {
  position: absolute; display: flex; flex-direction: column; overflow: hidden; border: 1px solid var(--line);
  border-radius: 12px; background: var(--ground); box-shadow: 0 6px 24px rgb(0 0 0 / .4); pointer-events: auto;
  font-size: 13px; user-select: text; overflow-wrap: anywhere;
}
header { display: flex; gap: 10px; align-items: start; padding: 12px 8px 8px 14px; }
header .sign { width: 24px; height: 24px; margin-top: 1px; }
header .glyph { width: 15px; height: 15px; }
h2 { flex: 1; margin: 0; font-size: 15px; line-height: 1.35; font-weight: 650; }
.close { flex: none; width: 28px; height: 28px; border: 0; border-radius: 50%; background: none; font-size: 18px; line-height: 1; }
.close:hover, .actions button:hover { background: var(--hover); }
.body { flex: 1 1 auto; min-height: 0; overflow-y: auto; overscroll-behavior: contain; scrollbar-width: thin;
  scrollbar-color: var(--line) transparent; padding: 0 14px 6px; }
.body > :first-child { margin-top: 0; }
p { margin: 0 0 8px; }
h3 { margin: 12px 0 4px; font-size: 13px; font-weight: 650; }
ul { margin: 0; padding: 0; list-style: none; }
li { margin: 0 0 8px; }
.evidence > li { padding: 8px 10px; border: 1px solid var(--line); border-radius: 8px; }
.soft { color: var(--soft); }
.speaks { display: block; font-weight: 600; }
.warning { padding: 8px 10px; border: 1px solid var(--warn); border-radius: 8px; }
.warning h3 { margin-top: 0; color: var(--warn); }
details { margin-top: 6px; }
summary { cursor: pointer; width: fit-content; margin-bottom: 4px; color: var(--soft); text-decoration: underline; }
dl { display: grid; grid-template-columns: minmax(6em, auto) 1fr; gap: 2px 10px; margin: 6px 0 0; }
dt { color: var(--soft); }
dd { margin: 0; }
pre {
  margin: 4px 0 0; padding: 6px 8px; max-height: 220px; overflow: auto; border: 1px solid var(--line); border-radius: 6px;
  font: 11px/1.4 ui-monospace, monospace; white-space: pre-wrap;
}
.actions { flex: none; display: flex; flex-wrap: wrap; gap: 6px; padding: 8px 14px 12px; border-top: 1px solid var(--line); }
.actions button { padding: 4px 10px; min-height: 28px; border: 1px solid var(--line); border-radius: 14px; background: none; }
.actions button[disabled] { cursor: default; color: var(--soft); }
[part="panel"].aside { width: max-content !important; }
[part="panel"].aside :is(header, .body, .actions button:not(.outliner)) { display: none; }
[part="panel"].aside .actions { border: 0; padding: 6px; }
.places { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: start; margin-top: 8px; }
.places ol { list-style: decimal; padding-inline-start: 1.6em; }
.places ul, .places ol { flex: 1 1 130px; }
.places li { margin: 0 0 2px; }
.diagram { flex: none; max-width: 100%; height: auto; }
.diagram .picture { fill: var(--hover); stroke: var(--line); stroke-width: 1; }
.diagram .mark { fill: none; stroke: var(--ai); stroke-width: 2; }
.diagram .number { fill: var(--text); font-size: 10px; font-weight: 650; text-anchor: middle; }
.traces { --shade: var(--soft); display: grid; gap: 6px; justify-items: start; margin: 8px 0; }
.traces.counts { --shade: var(--ai); }
.traces .ends { display: flex; justify-content: space-between; width: 202px; max-width: 100%; margin-top: -4px; }
.traces .patch { stroke: var(--line); stroke-width: .5; }
.traces .patch.top { stroke: var(--text); stroke-width: 2; }
.traces .ground { stroke: var(--line); }
${SHADED}
[part="outlines"] { position: absolute; overflow: hidden; pointer-events: none; }
.outline { position: absolute; border: 2px solid #ffffff; border-radius: 3px; outline: 3px solid #6d28d9; }
.outline span {
  position: absolute; top: 100%; left: -5px; margin-top: 4px; padding: 0 5px; border-radius: 3px;
  background: #6d28d9; color: #ffffff; font-weight: 650;
}
.outline.low span { top: auto; bottom: 100%; margin: 0 0 4px; }
progress { width: 100%; height: 6px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: reduce) { [data-state="checking"] .glyph { animation: none; } }
@media (forced-colors: active) {
  [part="badge"], [part="panel"] { border-color: CanvasText; }
  .sign { background: CanvasText !important; color: Canvas; forced-color-adjust: none; }
  .diagram .picture { fill: Canvas; stroke: CanvasText; }
  .diagram .mark { stroke: Highlight; }
  .diagram .number { fill: CanvasText; }
  .traces, .traces.counts { --shade: CanvasText; --hover: Canvas; }
  .traces .patch.top { fill: Highlight; stroke: CanvasText; }
  .traces .ground { stroke: CanvasText; }
  [part="outlines"] { forced-color-adjust: none; }
}
`

/**
 * Puts the look into a shadow root. A constructed sheet is the browser's own object, which no page's policy on
 * inline styles stops; where a content script may not adopt one (Firefox), a style element does it.
 */
export function dress(root: ShadowRoot, document: Document): void {
  try {
    const Sheet = document.defaultView?.CSSStyleSheet ?? CSSStyleSheet
    const sheet = new Sheet()
    sheet.replaceSync(STYLE)
    root.adoptedStyleSheets = [sheet]
  } catch {
    const style = document.createElement('style')
    style.textContent = STYLE
    root.append(style)
  }
}

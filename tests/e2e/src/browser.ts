// What the tests need of a browser, whichever it is.
import type { Browser, Frame, Page } from 'puppeteer-core'
import { until } from './until'

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** A badge as a person would meet it. The badge lives in a closed shadow root, out of the page's reach. */
export interface Badge {
  /** What it says. */
  text: string
  /** What a screen reader says. */
  name: string
  /** Label of the verdict, empty while there is none. */
  label: string
  state: string
  /** In CSS pixels of the frame's viewport. */
  box: Box
  visible: boolean
  panelOpen: boolean
  panelText: string
  /** Words of what has the focus in the badge's tree, empty where nothing has. */
  focused: string
  /** Where marks are outlined on the video, in CSS pixels of the frame's viewport. */
  outlines: Box[]
}

export type Scheme = 'light' | 'dark'

export interface LaunchOptions {
  /** Whether to load the extension that was built from this checkout. */
  extension?: boolean
  scheme?: Scheme
}

export interface TestBrowser {
  readonly name: 'chromium' | 'firefox'
  readonly puppeteer: Browser
  /** Every badge in one frame, in document order. */
  badges(frame: Frame): Promise<Badge[]>
  /** Load the extension that was built from this checkout. */
  installExtension(): Promise<void>
  close(): Promise<void>
}

/** Reads one badge. Runs in the page with the badge's host element's shadow tree's button as `this`. */
export const READ_BADGE = `function () {
  const box = this.getBoundingClientRect();
  const panel = this.getRootNode().querySelector('[part~="panel"]');
  const open = panel !== null && panel.getClientRects().length > 0;
  return {
    text: this.innerText.trim(),
    name: this.getAttribute("aria-label") ?? this.innerText.trim(),
    label: this.dataset.label ?? "",
    state: this.dataset.state ?? "",
    box: { x: box.x, y: box.y, width: box.width, height: box.height },
    visible: box.width > 0 && box.height > 0 && getComputedStyle(this).visibility === "visible",
    panelOpen: open,
    panelText: open ? panel.innerText : "",
    focused: this.getRootNode().activeElement?.textContent ?? "",
    outlines: [...this.getRootNode().querySelectorAll('[part~="outlines"] .outline')].map((each) => {
      const { x, y, width, height } = each.getBoundingClientRect();
      return { x, y, width, height };
    }),
  };
}`

export const HOST = 'touchstone-badge'

export async function openPage(browser: TestBrowser, url: string): Promise<Page> {
  const page = await browser.puppeteer.newPage()
  await page.setViewport({ width: 1000, height: 800 })
  await page.goto(url, { waitUntil: 'domcontentloaded' })
  return page
}

/** The one badge of a frame, once its verdict is there to be seen. */
export async function verdictBadge(browser: TestBrowser, frame: Frame, timeoutMs?: number): Promise<Badge> {
  return until(
    `a verdict is shown in ${frame.url()}`,
    async () => {
      const badges = await browser.badges(frame)
      const [badge] = badges
      if (badges.length !== 1 || !badge) throw new Error(`${badges.length} badges`)
      if (badge.label === '')
        throw new Error(`badge still says ${JSON.stringify(badge.text)} (${badge.state})`)
      if (!badge.visible) throw new Error(`badge says ${JSON.stringify(badge.text)} but is not to be seen`)
      return badge
    },
    timeoutMs,
  )
}

/** The first badge of a frame, once it can be seen in this state: a person can't click what isn't there yet. */
export async function badgeIn(
  browser: TestBrowser,
  frame: Frame,
  state: string,
  timeoutMs?: number,
): Promise<Badge> {
  return until(
    `a badge is seen that says ${state}`,
    async () => {
      const [first] = await browser.badges(frame)
      if (first?.state !== state) throw new Error(`it says ${JSON.stringify(first?.state)}`)
      if (!first.visible) throw new Error('it is not to be seen')
      return first
    },
    timeoutMs,
  )
}

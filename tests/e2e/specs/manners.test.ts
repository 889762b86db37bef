// The badge moves, covers and breaks nothing, and can be used without a mouse.
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openPage, verdictBadge } from '../src/browser'
import { until } from '../src/until'
import { BROWSERS, World } from '../src/world'

const BODY = (clip: string) => `
  <style>
    body { display: grid; grid-template-columns: 1fr 2fr; gap: 8px; margin: 12px; font: 16px sans-serif; }
    video { width: 100%; aspect-ratio: 4 / 3; object-fit: cover; }
    body > :last-child { border-bottom: 3px solid red; }
    p:nth-last-child(2) { letter-spacing: 2px; }
  </style>
  <header><h1>A page</h1><a href="#somewhere">A link</a></header>
  <article><p>Words before.</p><div class="player"><video src="${clip}" muted></video></div><p>Words after.</p></article>
  <p>Words below.</p><footer>The end</footer>
  <script>
    window.clicks = [];
    document.querySelector("video").addEventListener("click", (event) => window.clicks.push([event.offsetX, event.offsetY]));
  </script>`

describe.each(BROWSERS)('%s', (name) => {
  let world: World
  let untouched: unknown[]
  beforeAll(async () => {
    world = await World.make(name, { extension: false })
    const page = await openPage(world.browser, world.site.page('/untouched', BODY(madeClip(world))))
    await mediaHasSettled(page)
    untouched = await boxes(page)
    await world.browser.installExtension()
  })
  afterAll(() => world?.close())

  test("leaves the page's layout as it is, and clicks to the page", async () => {
    const page = await openPage(world.browser, world.site.page('/layout', BODY(madeClip(world))))
    await mediaHasSettled(page)
    const badge = await verdictBadge(world.browser, page.mainFrame())
    expect(await boxes(page)).toEqual(untouched)

    const video = await page.evaluate(() => document.querySelector('video')?.getBoundingClientRect().toJSON())
    expect(badge.box.width * badge.box.height).toBeLessThan((video.width * video.height) / 10)
    await page.mouse.click(video.x + video.width / 2, video.y + video.height / 2)
    await page.mouse.click(video.x + video.width - 10, video.y + video.height - 10)
    expect(await page.evaluate(() => (window as unknown as { clicks: number[] }).clicks.length)).toBe(2)
  })

  test('opens its panel by keyboard, closes it by Escape and gives the focus back', async () => {
    const page = await openPage(world.browser, world.site.page('/keyboard', BODY(madeClip(world))))
    await verdictBadge(world.browser, page.mainFrame())
    const focused = () => page.evaluate(() => document.activeElement?.localName)
    for (let presses = 0; (await focused()) !== 'touchstone-badge'; presses++) {
      expect(presses, 'Tab reaches the badge').toBeLessThan(20)
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Enter')
    const panel = await until('the panel is open', async () => {
      const { panelOpen, panelText } = await verdictBadge(world.browser, page.mainFrame())
      return panelOpen && panelText
    })
    expect(panel).toContain('Kling')
    await page.keyboard.press('Escape')
    await until(
      'the panel is closed',
      async () => !(await verdictBadge(world.browser, page.mainFrame())).panelOpen,
    )
    expect(await focused()).toBe('touchstone-badge')
  })

  test("keeps out of the page's reach", async () => {
    const page = await openPage(world.browser, world.site.page('/reach', BODY(madeClip(world))))
    await verdictBadge(world.browser, page.mainFrame())
    expect(
      await page.evaluate(() => document.querySelector('touchstone-badge')?.shadowRoot ?? null),
    ).toBeNull()
  })
})

/** Tag and box of each of the page's own elements, and how far the page scrolls. */
function boxes(page: Page): Promise<unknown[]> {
  return page.evaluate(() => [
    [document.documentElement.scrollWidth, document.documentElement.scrollHeight],
    ...[...document.querySelectorAll('*')]
      .filter((element) => element.localName !== 'touchstone-badge')
      .map((element) => [element.localName, element.getBoundingClientRect().toJSON()]),
  ])
}

/** The video is loaded, or never will be: a browser may come without the codec. */
async function mediaHasSettled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const video = document.querySelector('video')
    return video !== null && (video.readyState >= 1 || video.error !== null)
  })
}

function madeClip(world: World): string {
  const made = inject('clips').find(({ kind }) => kind === 'made')
  return world.site.file(join(made?.folder ?? '', 'sei.mp4'))
}

// Where a mark was seen: drawn and told in the panel, and outlined on the video itself.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openPage, verdictBadge } from '../src/browser'
import { openPanel } from '../src/panel'
import { until } from '../src/until'
import { BROWSERS, World } from '../src/world'

const made = inject('clips').find(({ kind }) => kind === 'made')
const clip = join(made?.folder ?? '', 'marked.webm')

// The clip is left out where this system has no font to draw a mark with (tests/e2e/clips.py).
describe.skipIf(!existsSync(clip)).each(BROWSERS)('%s', (name) => {
  let world: World
  beforeAll(async () => {
    world = await World.make(name)
  })
  afterAll(() => world?.close())

  test('a mark is told in words and outlined on the picture, by keyboard alone', async () => {
    // A picture of 16:9 in a frame of 1:1 that is filled by cutting off its sides, with a border around it.
    const address = world.site.file(clip, 'marked.webm')
    const style =
      'width: 400px; height: 400px; object-fit: cover; object-position: 0 0; border: 10px solid teal'
    const page = await openPage(
      world.browser,
      world.site.page('/marked', `<video src="${address}" style="${style}" muted></video>`),
    )
    const first = async () => (await world.browser.badges(page.mainFrame()))[0]
    try {
      const badge = await verdictBadge(world.browser, page.mainFrame())
      expect(badge).toMatchObject({ label: 'ai_generated', outlines: [] })
      const panel = await openPanel(world.browser, page, badge)
      for (const place of ['top left', 'at the right edge', 'bottom left']) expect(panel).toContain(place)
      for (let steps = 0; steps < 8; steps += 1) {
        if ((await first())?.focused === 'Show on the video') break
        await page.keyboard.press('Tab')
      }
      await page.keyboard.press('Enter')
      const boxes = await until('three places are outlined', async () => {
        const found = (await first())?.outlines
        return found?.length === 3 && found
      })
      const video = await page.$eval('video', (element) => {
        const { x, y } = element.getBoundingClientRect()
        return { x: x + 10, y: y + 10, width: (400 * 16) / 9, height: 400 }
      })
      // Where the clip's words were drawn (tests/examiners/visible_marks/cases.py).
      const middles = [
        [0.245, 0.06],
        [0.755, 0.49],
        [0.245, 0.92],
      ] as const
      for (const [index, [across, down]] of middles.entries()) {
        const { x, y, width, height } = boxes[index] ?? { x: 0, y: 0, width: 0, height: 0 }
        expect(Math.abs((x + width / 2 - video.x) / video.width - across)).toBeLessThan(0.02)
        expect(Math.abs((y + height / 2 - video.y) / video.height - down)).toBeLessThan(0.02)
      }
      await page.keyboard.press('Escape')
      await until('the outlines are gone', async () => (await first())?.outlines.length === 0)
      expect(await first()).toMatchObject({ panelOpen: true, focused: 'Show on the video' })
    } finally {
      await page.close()
    }
  })
})

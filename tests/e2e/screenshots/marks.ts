// A mark in the picture: drawn in the panel and outlined on the video, in both browsers, light, dark and at 200 %.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, inject, test } from 'vitest'
import { openPage, verdictBadge } from '../src/browser'
import { openPanel } from '../src/panel'
import { REPOSITORY } from '../src/programs'
import { until } from '../src/until'
import { BROWSERS, World } from '../src/world'

const FOLDER = join(REPOSITORY, 'docs', 'screenshots')

const page = (address: string) => `
  <style>
    :root { color-scheme: light dark; }
    body { margin: 16px; font: 16px/1.5 sans-serif; }
    video { width: 100%; max-width: 800px; display: block; }
  </style>
  <video src="${address}" muted preload="auto"></video>`

describe.each(BROWSERS)('%s', (name) => {
  test.each([
    ['light', 1],
    ['dark', 1],
    ['light', 2],
  ] as const)('%s at %d', async (scheme, scale) => {
    mkdirSync(FOLDER, { recursive: true })
    const world = await World.make(name, { scheme })
    try {
      const made = inject('clips').find(({ kind }) => kind === 'made')
      const address = world.site.file(join(made?.folder ?? '', 'marked.webm'))
      const tab = await openPage(world.browser, world.site.page('/', page(address)))
      // Zoom of 200 %: half as many CSS pixels, twice as large.
      await tab.setViewport({ width: 840 / scale, height: 680 / scale, deviceScaleFactor: scale })
      const badge = await verdictBadge(world.browser, tab.mainFrame())
      await tab.$eval('video', (video) => {
        video.currentTime = 2 // where the clip has its mark at the right edge
      })
      await openPanel(world.browser, tab, badge)
      const first = async () => (await world.browser.badges(tab.mainFrame()))[0]
      const shoot = async (what: string) => {
        await new Promise((resume) => setTimeout(resume, 500)) // let it finish moving
        const kind = scale === 1 ? scheme : `${scheme}-zoom${scale}00`
        await tab.screenshot({ path: join(FOLDER, `${name}-${kind}-${what}.png`) })
      }
      const tabTo = async (words: string) => {
        while ((await first())?.focused !== words) await tab.keyboard.press('Tab')
      }
      await tabTo('How do you know?') // which brings the drawing above it into sight
      await shoot('marks')
      await tabTo('Show on the video')
      await tab.keyboard.press('Enter')
      await until('the marks are outlined', async () => (await first())?.outlines.length === 3)
      await shoot('outlines')
    } finally {
      await world.close()
    }
  })
})

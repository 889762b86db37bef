// Badge and panel on clips that the tests make and sign themselves, in both browsers, light and dark.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, inject, test } from 'vitest'
import { openPage } from '../src/browser'
import { REPOSITORY } from '../src/programs'
import { until } from '../src/until'
import { BROWSERS, World } from '../src/world'

const FOLDER = join(REPOSITORY, 'docs', 'screenshots')
const CLIPS = ['signed', 'flipped', 'nothing']
const LABELS = 'ai_generated,inconclusive,no_signs'

const page = (addresses: string[]) => `
  <style>
    :root { color-scheme: light dark; }
    body { margin: 24px; font: 16px/1.5 sans-serif; }
    main { display: grid; grid-template-columns: repeat(3, 1fr); gap: 24px; }
    video { width: 100%; aspect-ratio: 4 / 3; display: block; }
  </style>
  <h1>Three clips</h1>
  <main>${addresses.map((address) => `<video src="${address}" muted preload="auto"></video>`).join('')}</main>`

describe.each(BROWSERS)('%s', (name) => {
  test.each(['light', 'dark'] as const)('%s', async (scheme) => {
    mkdirSync(FOLDER, { recursive: true })
    const world = await World.make(name, { scheme })
    try {
      const made = inject('clips').find(({ kind }) => kind === 'made')
      const addresses = CLIPS.map((clip) => world.site.file(join(made?.folder ?? '', `${clip}.mp4`)))
      const tab = await openPage(world.browser, world.site.page('/', page(addresses)))
      await tab.setViewport({ width: 1200, height: 900 })
      const badges = await until('three verdicts are shown', async () => {
        const found = await world.browser.badges(tab.mainFrame())
        return found.map(({ label }) => label).join() === LABELS && found
      })
      await tab.screenshot({
        path: join(FOLDER, `${name}-${scheme}-badges.png`),
        clip: { x: 0, y: 0, width: 1200, height: 420 },
      })
      const first = badges[0]
      if (!first) throw new Error('no badge')
      await tab.mouse.click(first.box.x + first.box.width / 2, first.box.y + first.box.height / 2)
      await until('the panel is open', async () =>
        (await world.browser.badges(tab.mainFrame())).some(({ panelOpen }) => panelOpen),
      )
      await new Promise((resume) => setTimeout(resume, 500)) // let it finish moving
      await tab.screenshot({
        path: join(FOLDER, `${name}-${scheme}-panel.png`),
        clip: { x: 0, y: 0, width: 1200, height: 660 },
      })
    } finally {
      await world.close()
    }
  })
})

// The main job: a true badge on a video, from the file on a site to the words in the panel.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openPage, verdictBadge } from '../src/browser'
import { openPanel } from '../src/panel'
import { BROWSERS, World } from '../src/world'

describe.each(BROWSERS)('%s', (name) => {
  let world: World
  beforeAll(async () => {
    world = await World.make(name)
  })
  afterAll(() => world?.close())

  const table = inject('clips').flatMap(({ kind, folder, cases }) =>
    Object.entries(cases).map(([clip, expected]) => ({
      kind,
      clip,
      file: join(folder, `${clip}.mp4`),
      ...expected,
    })),
  )
  test.each(table)('$kind clip $clip: $label', async ({ kind, clip, file, label, headline, words }) => {
    const address = world.site.file(file, `${kind}-${clip}.mp4`)
    const page = await openPage(
      world.browser,
      world.site.page(
        `/${kind}/${clip}`,
        `<video src="${address}" width="480" height="320" muted controls></video>`,
      ),
    )
    try {
      const badge = await verdictBadge(world.browser, page.mainFrame())
      expect(badge).toMatchObject({ label, visible: true })
      expect(badge.name).toContain(headline)
      const panel = await openPanel(world.browser, page, badge)
      expect(panel).toContain(headline)
      for (const word of words) expect(panel).toContain(word)
    } finally {
      await page.close()
    }
  })
})

// Nothing is lost when a part of Touchstone is missing, dies, or is put to sleep.
import { join } from 'node:path'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { openPage, type TestBrowser, verdictBadge } from '../src/browser'
import { until } from '../src/until'
import { BROWSERS, World } from '../src/world'

const VIDEO = (address: string) => `<video src="${address}" width="320" height="240" muted></video>`

describe.each(BROWSERS)('%s', (name) => {
  let world: World
  afterEach(() => world?.close())

  test('says that the daemon is not installed, and how to install it', async () => {
    world = await World.make(name, { host: false })
    const page = await openPage(world.browser, world.site.page('/', VIDEO(madeClip(world, 'sei'))))
    const badge = await until('the badge has given up', async () => {
      const [first] = await world.browser.badges(page.mainFrame())
      return first?.state === 'no_daemon' && first
    })
    expect(badge).toMatchObject({ label: '', visible: true })
    await page.mouse.click(badge.box.x + 5, badge.box.y + 5)
    const panel = await until('the panel is open', async () => {
      const [first] = await world.browser.badges(page.mainFrame())
      return first?.panelText
    })
    expect(panel).toContain('touchstone up')
  })

  test('brings a killed daemon back for the next video', async () => {
    world = await World.make(name)
    const first = await openPage(world.browser, world.site.page('/first', VIDEO(madeClip(world, 'sei'))))
    await verdictBadge(world.browser, first.mainFrame())
    const killed = await world.home.killDaemon()
    const second = await openPage(world.browser, world.site.page('/second', VIDEO(madeClip(world, 'signed'))))
    const badge = await verdictBadge(world.browser, second.mainFrame(), 40_000)
    expect(badge.label).toBe('ai_generated')
    expect(await world.home.daemonPid()).not.toBe(killed)
  })

  test('finishes a scan whose daemon died half-way', async () => {
    world = await World.make(name)
    const warm = await openPage(world.browser, world.site.page('/warm', VIDEO(madeClip(world, 'sei'))))
    await verdictBadge(world.browser, warm.mainFrame())
    const { badge } = await interrupted(world, () => world.home.killDaemon())
    expect(badge.label).toBe('ai_generated')
  })
})

describe('chromium', () => {
  test('finishes a scan whose service worker was stopped half-way', async () => {
    const world = await World.make('chromium')
    try {
      const { badge } = await interrupted(world, () => world.browser.stopServiceWorker())
      expect(badge.label).toBe('ai_generated')
    } finally {
      await world.close()
    }
  })
})

/** Show a video whose bytes hang, do something bad, let the bytes come, and wait for the verdict. */
async function interrupted<Kind extends TestBrowser>(world: World<Kind>, harm: () => Promise<unknown>) {
  const address = madeClip(world, 'signed')
  const release = world.site.hold(address)
  const page = await openPage(world.browser, world.site.page('/interrupted', VIDEO(address)))
  await until('the badge is waiting', async () => (await world.browser.badges(page.mainFrame())).length === 1)
  await new Promise((resume) => setTimeout(resume, 500)) // the scan is under way, whatever its stage
  await harm()
  release()
  return { badge: await verdictBadge(world.browser, page.mainFrame(), 50_000), page }
}

function madeClip(world: World, clip: string): string {
  const made = inject('clips').find(({ kind }) => kind === 'made')
  return world.site.file(join(made?.folder ?? '', `${clip}.mp4`))
}

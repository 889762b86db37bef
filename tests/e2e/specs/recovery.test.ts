// Nothing is lost when a part of Touchstone is missing, dies, or is put to sleep.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { badgeIn, openPage, type TestBrowser, verdictBadge } from '../src/browser'
import { openPanel } from '../src/panel'
import { until } from '../src/until'
import { BROWSERS, World } from '../src/world'

const VIDEO = (address: string) => `<video src="${address}" width="320" height="240" muted></video>`

describe.each(BROWSERS)('%s', (name) => {
  let world: World
  beforeAll(async () => {
    world = await World.make(name, { host: false })
  })
  afterAll(() => world?.close())

  test('says that the daemon is not installed, and how to install it', async () => {
    const page = await openPage(world.browser, world.site.page('/', VIDEO(madeClip(world, 'sei'))))
    const badge = await badgeIn(world.browser, page.mainFrame(), 'no_daemon')
    expect(badge.label).toBe('')
    const panel = await openPanel(world.browser, page, badge)
    expect(panel).toContain('touchstone up')
  })

  describe('once it is installed', () => {
    beforeAll(async () => {
      await world.home.registerHost()
      const page = await openPage(world.browser, world.site.page('/warm', VIDEO(madeClip(world, 'sei'))))
      await verdictBadge(world.browser, page.mainFrame(), 40_000)
    })

    test('brings a killed daemon back for the next video', async () => {
      const killed = await world.home.killDaemon()
      const page = await openPage(world.browser, world.site.page('/next', VIDEO(madeClip(world, 'signed'))))
      const badge = await verdictBadge(world.browser, page.mainFrame(), 40_000)
      expect(badge.label).toBe('ai_generated')
      expect(await world.home.daemonPid()).not.toBe(killed)
    })

    test('finishes a scan whose daemon died half-way', async () => {
      const { badge } = await interrupted(world, () => world.home.killDaemon())
      expect(badge.label).toBe('ai_generated')
    })
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
  // An address of its own: an answer that is known already would need no scan that could be interrupted.
  const address = madeClip(world, 'signed', 'interrupted.mp4')
  const release = world.site.hold(address)
  const page = await openPage(world.browser, world.site.page('/interrupted', VIDEO(address)))
  await until('the badge is waiting', async () => (await world.browser.badges(page.mainFrame())).length === 1)
  await new Promise((resume) => setTimeout(resume, 500)) // the scan is under way, whatever its stage
  await harm()
  release()
  return { badge: await verdictBadge(world.browser, page.mainFrame(), 50_000), page }
}

function madeClip(world: World, clip: string, name = `${clip}.mp4`): string {
  const made = inject('clips').find(({ kind }) => kind === 'made')
  return world.site.file(join(made?.folder ?? '', `${clip}.mp4`), name)
}

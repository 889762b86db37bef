// Videos are found wherever a page may keep them, and their bytes however it got them.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openPage, verdictBadge } from '../src/browser'
import { until } from '../src/until'
import { BROWSERS, World } from '../src/world'

const SIZE = 'width="320" height="240" muted'

describe.each(BROWSERS)('%s', (name) => {
  let world: World
  let clip: string
  beforeAll(async () => {
    world = await World.make(name)
    const made = inject('clips').find(({ kind }) => kind === 'made')
    clip = world.site.file(join(made?.folder ?? '', 'sei.mp4'))
  })
  afterAll(() => world?.close())

  const places: [string, (clip: string) => string][] = [
    ['a source element', (url) => `<video ${SIZE}><source src="${url}" type="video/mp4"></video>`],
    [
      'an open shadow root',
      (url) => `<div id="host"></div><script>
        document.getElementById("host").attachShadow({ mode: "open" }).innerHTML =
          '<video ${SIZE} src="${url}"></video>';
      </script>`,
    ],
    [
      'a video added later',
      (url) => `<main></main><script>
        setTimeout(() => { document.querySelector("main").innerHTML = '<video ${SIZE} src="${url}"></video>'; }, 800);
      </script>`,
    ],
    [
      'a video whose address is set later',
      (url) => `<video ${SIZE}></video><script>
        setTimeout(() => { document.querySelector("video").src = "${url}"; }, 800);
      </script>`,
    ],
    [
      'a page that forbids all but its own',
      (url) => `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; media-src *">
        <video ${SIZE} src="${url}"></video>`,
    ],
    [
      'a blob',
      (url) => `<video ${SIZE}></video><script>
        fetch("${url}").then((answer) => answer.blob()).then((blob) => {
          document.querySelector("video").src = URL.createObjectURL(blob);
        });
      </script>`,
    ],
  ]
  test.each(places)('finds %s', async (place, body) => {
    const page = await openPage(world.browser, world.site.page(`/${place.replaceAll(' ', '-')}`, body(clip)))
    try {
      expect(await verdictBadge(world.browser, page.mainFrame())).toMatchObject({
        label: 'ai_generated',
        visible: true,
      })
    } finally {
      await page.close()
    }
  })

  test.each([
    ['the same site', '127.0.0.1' as const],
    ['another site', 'localhost' as const],
  ])('finds a video in a frame of %s', async (_, host) => {
    const inner = world.site.page(`/inner-${host}`, `<video ${SIZE} src="${clip}"></video>`, host)
    const outer = world.site.page(
      `/outer-${host}`,
      `<iframe src="${inner}" width="500" height="400"></iframe>`,
    )
    const page = await openPage(world.browser, outer)
    try {
      const frame = await until('the frame is there', async () =>
        page.frames().find((f) => f.url() === inner),
      )
      expect(await verdictBadge(world.browser, frame)).toMatchObject({ label: 'ai_generated', visible: true })
      expect(await world.browser.badges(page.mainFrame())).toHaveLength(0)
    } finally {
      await page.close()
    }
  })

  test('finds a video in a frame without an address', async () => {
    const inner = `<video ${SIZE} src="${clip}"></video>`.replaceAll('"', '&quot;')
    const outer = world.site.page('/srcdoc', `<iframe srcdoc="${inner}" width="500" height="400"></iframe>`)
    const page = await openPage(world.browser, outer)
    try {
      const frame = await until('the frame is there', async () => page.frames().find((f) => f.parentFrame()))
      expect((await verdictBadge(world.browser, frame)).label).toBe('ai_generated')
    } finally {
      await page.close()
    }
  })

  test('gives every video of a page its badge, and takes it away with the video', async () => {
    const videos = `<video ${SIZE} src="${clip}"></video>`.repeat(3)
    const page = await openPage(world.browser, world.site.page('/three', videos))
    const labels = async () => (await world.browser.badges(page.mainFrame())).map(({ label }) => label)
    try {
      await until(
        'three verdicts are shown',
        async () => (await labels()).join() === 'ai_generated,ai_generated,ai_generated',
      )
      await page.evaluate(() => document.querySelector('video')?.remove())
      await until('one badge is gone', async () => (await labels()).length === 2)
    } finally {
      await page.close()
    }
  })

  test('says so when a video cannot be reached', async () => {
    const missing = clip.replace(/[^/]+$/, 'missing.mp4')
    const page = await openPage(
      world.browser,
      world.site.page('/missing', `<video ${SIZE} src="${missing}"></video>`),
    )
    try {
      const badge = await until('the badge gives up', async () => {
        const [first] = await world.browser.badges(page.mainFrame())
        return (
          first &&
          ['unreachable', 'unreadable'].some((word) => [first.state, first.label].includes(word)) &&
          first
        )
      })
      expect(badge.label).not.toBe('no_signs')
    } finally {
      await page.close()
    }
  })
})

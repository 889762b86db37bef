// Takes pictures of badge, panel, popup and options page, to be looked at:
//   npm run build && npm run look -- FOLDER [chromium|firefox ...]
// The native host is one of its own (look/host.mjs), so no daemon is needed and every state can be shown.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { launch } from './look/browsers.mjs'
import { RECORD, serve } from './look/site.mjs'

const [folder, ...named] = process.argv.slice(2)
if (!folder) {
  console.error('usage: npm run look -- FOLDER [chromium|firefox ...]')
  process.exit(2)
}
const output = resolve(folder)
mkdirSync(output, { recursive: true })
const wait = (ms) => new Promise((done) => setTimeout(done, ms))

async function look(name, scheme, site) {
  const world = await launch(name, scheme)
  const shoot = async (page, what) => {
    const path = join(output, `${name}-${scheme}-${what}.png`)
    await page.screenshot({ path })
    console.log(path)
  }
  const visit = async (path, width, height, scale) => {
    const page = await world.page(width, height, scale)
    await page.goto(site.address + path)
    await wait(1500)
    return page
  }
  /** Clicks the first badge of /one the way a person does: where it is. */
  const open = async (page) => {
    await page.mouse.click(44, 41)
    await wait(400)
  }
  /** Shows the page in colours that the user's system forces on it. */
  const force = async (page) => {
    const session = await page.createCDPSession()
    const features = [{ name: 'forced-colors', value: 'active' }]
    await session.send('Emulation.setEmulatedMedia', {
      features: [...features, { name: 'prefers-color-scheme', value: scheme }],
    })
    await wait(300)
  }
  try {
    if (site.clip.length === 0) {
      const page = await visit('/one?as=x', 700, 500)
      site.clip = Buffer.from(await page.evaluate(RECORD), 'base64')
      await page.close()
    }
    const grid = await visit('/grid', 1120, 1100)
    await wait(1500)
    await shoot(grid, 'grid')
    for (const as of ['ai_signed', 'torn&csp', 'no_signs', 'traces', 'traces_uncounted', 'tampered']) {
      const page = await visit(`/one?as=${as}`, 700, 700)
      await open(page)
      await shoot(page, `panel-${as.replace(/&.*/, '')}`)
      if (as === 'traces' && name === 'chromium') {
        await force(page)
        await shoot(page, 'panel-traces-forced')
      }
      if (as === 'ai_signed' || as === 'traces_uncounted') {
        // From the headline over the close button to "How do you know?".
        for (const key of ['Tab', 'Tab', 'Enter']) await page.keyboard.press(key)
        await wait(300)
        await shoot(page, as === 'ai_signed' ? 'panel-how' : 'panel-traces_uncounted-how')
      }
      await page.close()
    }
    for (const [as, what] of [
      ['ai_declared', 'zoom200'],
      ['traces', 'zoom200-traces'],
    ]) {
      const zoomed = await visit(`/one?as=${as}`, 500, 400, 2)
      await open(zoomed)
      await shoot(zoomed, what)
      if (as === 'traces') {
        for (const key of ['Tab', 'Tab']) await zoomed.keyboard.press(key) // to what stands below the drawings
        await wait(300)
        await shoot(zoomed, `${what}-below`)
      }
      await zoomed.close()
    }
    const ways = await visit('/ways', 700, 700)
    await shoot(ways, 'ways-start')
    await ways.evaluate(() => {
      window.scrollTo(0, 40)
      document.getElementById('scroller').scrollTop = 60
    })
    await wait(800)
    await shoot(ways, 'ways-scrolled')
    await ways.evaluate(() => window.scrollTo(0, 0))
    await ways.click('#open')
    await wait(1500)
    await shoot(ways, 'ways-dialog')
    await ways.keyboard.press('Escape')
    await ways.click('#go')
    await wait(1200)
    await shoot(ways, 'ways-full')
    await ways.close()
    if (name === 'chromium') {
      const options = await world.page(720, 800)
      await options.goto(`chrome-extension://${world.id}/options.html`)
      await wait(600)
      await shoot(options, 'options')
      await options.close()
      await grid.bringToFront()
      const worker = await world.browser.waitForTarget((target) => target.type() === 'service_worker')
      await (await worker.worker()).evaluate('chrome.action.openPopup()')
      const target = await world.browser.waitForTarget((each) => each.url().endsWith('/popup.html'))
      const popup = await target.asPage()
      await popup.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      await wait(800)
      await shoot(popup, 'popup')
    }
  } finally {
    await world.close()
  }
}

const site = await serve()
try {
  for (const name of named.length > 0 ? named : ['chromium', 'firefox']) {
    for (const scheme of ['light', 'dark']) await look(name, scheme, site)
  }
} finally {
  site.close()
}

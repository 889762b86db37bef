// Starts a browser with a home of its own, in which the looking host is the native host.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import puppeteer from 'puppeteer-core'

const here = fileURLToPath(new URL('.', import.meta.url))
const NAME = 'org.touchstone.host'
const root = process.getuid?.() === 0

function install(folder, callers) {
  mkdirSync(folder, { recursive: true })
  const path = join(here, 'host.mjs')
  chmodSync(path, 0o755)
  const manifest = { name: NAME, description: 'for looking', path, type: 'stdio', ...callers }
  writeFileSync(join(folder, `${NAME}.json`), JSON.stringify(manifest))
}

export async function launch(name, scheme) {
  const home = mkdtempSync(join(tmpdir(), 'touchstone-look-'))
  const firefox = name === 'firefox'
  if (firefox)
    install(join(home, '.mozilla/native-messaging-hosts'), {
      allowed_extensions: ['touchstone@org.touchstone'],
    })
  else {
    install(join(home, 'profile/NativeMessagingHosts'), {
      allowed_origins: ['chrome-extension://cpcklnkkopkoamfgpligbdnfpjealfao/'],
    })
  }
  const common = { headless: true, env: { ...process.env, HOME: home } }
  const browser = firefox
    ? await puppeteer.launch({
        ...common,
        browser: 'firefox',
        executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
        extraPrefsFirefox: { 'layout.css.prefers-color-scheme.content-override': scheme === 'dark' ? 0 : 1 },
      })
    : await puppeteer.launch({
        ...common,
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        pipe: true,
        enableExtensions: true,
        userDataDir: join(home, 'profile'),
        args: root ? ['--no-sandbox'] : [],
      })
  const id = await browser.installExtension(
    resolve(here, `../../.output/${firefox ? 'firefox' : 'chrome'}-mv3`),
  )
  return {
    browser,
    id,
    async page(width, height, deviceScaleFactor = 1) {
      const page = await browser.newPage()
      if (!firefox) await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      await page.setViewport({ width, height, deviceScaleFactor })
      return page
    },
    async close() {
      await browser.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

// One browser with its own home, Touchstone and web site, as most tests want it.
import { inject } from 'vitest'
import type { Scheme, TestBrowser } from './browser'
import { Chromium } from './chromium'
import { Firefox } from './firefox'
import { Home } from './home'
import { Site } from './site'

export const BROWSERS = ['chromium', 'firefox'] as const
export type BrowserName = (typeof BROWSERS)[number]

export class World<Kind extends TestBrowser = TestBrowser> {
  private constructor(
    readonly home: Home,
    readonly site: Site,
    readonly browser: Kind,
  ) {}

  /** A browser with the extension, and the native host registered unless told not to. */
  static async make(name: 'chromium', options?: WorldOptions): Promise<World<Chromium>>
  static async make(name: BrowserName, options?: WorldOptions): Promise<World>
  static async make(
    name: BrowserName,
    { host = true, extension = true, scheme = 'light' }: WorldOptions = {},
  ): Promise<World> {
    const home = new Home({ TOUCHSTONE_TRUST_LISTS: inject('trust') })
    if (host) await home.registerHost()
    const site = await Site.open()
    const launch = name === 'chromium' ? Chromium.launch : Firefox.launch
    return new World(home, site, await launch(home, { extension, scheme }))
  }

  async close(): Promise<void> {
    await this.browser.close()
    await this.site.close()
    await this.home.remove()
  }
}

export interface WorldOptions {
  host?: boolean
  extension?: boolean
  /** What the pages are told that the user prefers. */
  scheme?: Scheme
}

import type { Page } from 'puppeteer-core'
import type { Badge, TestBrowser } from './browser'
import { until } from './until'

/** Click a badge and return what its panel says once it is open. */
export async function openPanel(browser: TestBrowser, page: Page, badge: Badge): Promise<string> {
  await page.mouse.click(badge.box.x + badge.box.width / 2, badge.box.y + badge.box.height / 2)
  return until('the panel is open', async () => {
    const [first] = await browser.badges(page.mainFrame())
    return first?.panelOpen && first.panelText
  })
}

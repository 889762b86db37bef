/** The channels of the popup and the options page: they see how the host is and what a tab shows. */

import { siteOf } from '../addresses'
import type { Channel } from '../browser'
import type { HostState } from '../native/link'
import type { FromPopup, Overview } from '../protocol'
import type { Settings } from '../settings'
import type { Pages } from './pages'

interface Panel {
  channel: Channel
  tabId: number | null
  url: string
}

export interface PanelsOptions {
  pages: Pages
  hostState: () => HostState
  settings: () => Settings
  hasAllSites: () => Promise<boolean>
  nudgeTab: (tabId: number) => Promise<void>
  /** The person looks at the state: try the host now. */
  retry: () => void
}

export class Panels {
  private readonly panels = new Set<Panel>()

  constructor(private readonly options: PanelsOptions) {}

  connect(channel: Channel): void {
    const panel: Panel = { channel, tabId: null, url: '' }
    this.panels.add(panel)
    channel.onMessage((message) => this.receive(panel, message as FromPopup))
    channel.onClose(() => this.panels.delete(panel))
    this.options.retry()
    void this.update(panel)
  }

  /** Something changed: for a tab, or (null) for all. */
  changed(tabId: number | null): void {
    for (const panel of this.panels) if (tabId === null || panel.tabId === tabId) void this.update(panel)
  }

  private receive(panel: Panel, message: FromPopup): void {
    switch (message.type) {
      case 'watch_tab':
        panel.tabId = message.tabId
        panel.url = message.url
        void this.update(panel)
        void this.options.nudgeTab(message.tabId)
        break
      case 'retry':
        this.options.retry()
        break
      case 'check_row':
      case 'reveal_row':
        if (panel.tabId === null) return
        this.options.pages.onRow(
          panel.tabId,
          message.frameId,
          message.key,
          message.type === 'check_row' ? 'check' : 'reveal',
        )
        break
    }
  }

  private async update(panel: Panel): Promise<void> {
    const site = siteOf(panel.url)
    const overview: Overview = {
      type: 'overview',
      host: this.options.hostState(),
      site,
      siteOn: site === null || !this.options.settings().sitesOff.includes(site),
      allSites: await this.options.hasAllSites(),
      videos: panel.tabId === null ? [] : this.options.pages.rowsOf(panel.tabId),
    }
    if (this.panels.has(panel)) panel.channel.send(overview)
  }
}

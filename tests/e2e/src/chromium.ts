import puppeteer, { type Browser, type CDPSession, type Frame } from 'puppeteer-core'
import { type Badge, HOST, type LaunchOptions, READ_BADGE, type TestBrowser } from './browser'
import type { Home } from './home'
import { chromiumProgram, extensionFolder } from './programs'
import { badgeButtons, type Tree } from './tree'
import { until } from './until'

export class Chromium implements TestBrowser {
  readonly name = 'chromium'

  private extensionId = ''

  private constructor(readonly puppeteer: Browser) {}

  /** Chromium as `home`'s user would start it, with the extension loaded unless told not to. */
  static async launch(
    home: Home,
    { extension = true, scheme = 'light' }: LaunchOptions = {},
  ): Promise<Chromium> {
    const browser = await puppeteer.launch({
      executablePath: chromiumProgram(),
      headless: true,
      pipe: true,
      enableExtensions: true,
      env: home.environment,
      userDataDir: home.chromiumProfile,
      // Chromium's sandbox refuses to run for root, which is who runs tests in a container.
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--disable-dev-shm-usage', // small in a container
        ...(scheme === 'dark' ? ['--force-dark-mode'] : []),
      ],
    })
    const chromium = new Chromium(browser)
    if (extension) await chromium.installExtension()
    return chromium
  }

  async installExtension(): Promise<void> {
    this.extensionId = await this.puppeteer.installExtension(extensionFolder('chrome'))
  }

  async badges(frame: Frame): Promise<Badge[]> {
    const session = sessionOf(frame)
    const document = await frame.evaluateHandle('document')
    try {
      const objectId = document.remoteObject().objectId
      if (!objectId) throw new Error('the document has gone')
      const { node } = await session.send('DOM.describeNode', { objectId, depth: -1, pierce: true })
      return await Promise.all(
        badgeButtons(treeOf(node), HOST).map((button) => read(session, button.reference)),
      )
    } finally {
      await document.dispose()
    }
  }

  /** Stop the extension's service worker, as Chromium does when it has been idle. */
  async stopServiceWorker(): Promise<void> {
    const isOurs = (url: string) => url.startsWith(`chrome-extension://${this.extensionId}/`)
    const target = await this.puppeteer.waitForTarget((t) => t.type() === 'service_worker' && isOurs(t.url()))
    const worker = await target.worker()
    await worker?.close()
    await until('the service worker has stopped', async () => !this.puppeteer.targets().includes(target))
  }

  close(): Promise<void> {
    return this.puppeteer.close()
  }
}

interface CdpNode {
  backendNodeId: number
  localName: string
  attributes?: string[]
  children?: CdpNode[]
  shadowRoots?: CdpNode[]
}

function treeOf(node: CdpNode): Tree<number> {
  const pairs = node.attributes ?? []
  const attributes: Record<string, string> = {}
  for (let at = 0; at + 1 < pairs.length; at += 2) attributes[pairs[at] as string] = pairs[at + 1] as string
  return {
    reference: node.backendNodeId,
    name: node.localName,
    attributes,
    children: [...(node.shadowRoots ?? []), ...(node.children ?? [])].map(treeOf),
  }
}

async function read(session: CDPSession, backendNodeId: number): Promise<Badge> {
  const { object } = await session.send('DOM.resolveNode', { backendNodeId })
  const { result } = await session.send('Runtime.callFunctionOn', {
    objectId: object.objectId as string,
    functionDeclaration: READ_BADGE,
    returnByValue: true,
  })
  return result.value as Badge
}

// Frames of other sites live in processes, and so sessions, of their own. Puppeteer keeps the session on the
// frame but leaves it out of its types.
const sessionOf = (frame: Frame): CDPSession => (frame as Frame & { client: CDPSession }).client

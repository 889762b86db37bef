import puppeteer, { type Browser, type Frame } from 'puppeteer-core'
import { type Badge, HOST, type LaunchOptions, READ_BADGE, type TestBrowser } from './browser'
import type { Home } from './home'
import { extensionFolder, firefoxProgram } from './programs'
import { badgeButtons, type Tree } from './tree'

export class Firefox implements TestBrowser {
  readonly name = 'firefox'

  private constructor(readonly puppeteer: Browser) {}

  /** Firefox as `home`'s user would start it, with the extension loaded unless told not to. */
  static async launch(
    home: Home,
    { extension = true, scheme = 'light' }: LaunchOptions = {},
  ): Promise<Firefox> {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: firefoxProgram(),
      headless: true,
      env: home.environment,
      extraPrefsFirefox: { 'layout.css.prefers-color-scheme.content-override': scheme === 'dark' ? 0 : 1 },
    })
    const firefox = new Firefox(browser)
    if (extension) await firefox.installExtension()
    return firefox
  }

  async installExtension(): Promise<void> {
    await this.puppeteer.installExtension(extensionFolder('firefox'))
  }

  async badges(frame: Frame): Promise<Badge[]> {
    const target = { context: (frame as Frame & { _id: string })._id }
    const found = await this.send<{ result: RemoteNode }>('script.evaluate', {
      expression: 'document',
      target,
      awaitPromise: false,
      serializationOptions: { includeShadowTree: 'all', maxDomDepth: null },
    })
    return Promise.all(
      badgeButtons(treeOf(found.result), HOST).map(async ({ reference }) => {
        const answer = await this.send<{ result: { value: string } }>('script.callFunction', {
          functionDeclaration: `function () { return JSON.stringify((${READ_BADGE}).call(this)); }`,
          target,
          this: { sharedId: reference },
          awaitPromise: false,
        })
        return JSON.parse(answer.result.value) as Badge
      }),
    )
  }

  close(): Promise<void> {
    return this.puppeteer.close()
  }

  // Puppeteer has no call of its own that looks into closed shadow roots; WebDriver BiDi does, and its connection
  // hangs on the browser without being in the types.
  private async send<Result>(method: string, parameters: unknown): Promise<Result> {
    const { connection } = this.puppeteer as Browser & { connection: BidiConnection }
    const { result } = await connection.send(method, parameters)
    if ((result as { type?: string }).type === 'exception') {
      throw new Error(`${method}: ${JSON.stringify(result).slice(0, 500)}`)
    }
    return result as Result
  }
}

interface BidiConnection {
  send(method: string, parameters: unknown): Promise<{ result: unknown }>
}

interface RemoteNode {
  sharedId: string
  value?: {
    localName?: string
    attributes?: Record<string, string>
    children?: RemoteNode[]
    shadowRoot?: RemoteNode | null
  }
}

function treeOf(node: RemoteNode): Tree<string> {
  const { localName = '', attributes = {}, children = [], shadowRoot } = node.value ?? {}
  return {
    reference: node.sharedId,
    name: localName,
    attributes,
    children: [...(shadowRoot ? [shadowRoot] : []), ...children].map(treeOf),
  }
}

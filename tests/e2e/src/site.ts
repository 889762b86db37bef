// A web site on loopback: pages made by the tests, and clips served with byte ranges as a real site does.
import { createReadStream, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'

export class Site {
  private readonly pages = new Map<string, string>()
  private readonly files = new Map<string, string>()
  private readonly guarded = new Set<string>()
  private readonly held = new Map<string, Promise<void>>()
  private readonly server: Server = createServer((request, response) => void this.answer(request, response))

  static async open(): Promise<Site> {
    const site = new Site()
    await new Promise<void>((ready) => site.server.listen(0, '127.0.0.1', ready))
    return site
  }

  private get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** Serve a page and return its address. `host` lets a page come from another origin: localhost is one. */
  page(path: string, body: string, host: '127.0.0.1' | 'localhost' = '127.0.0.1'): string {
    this.pages.set(
      path,
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>${path}</title>${body}</html>`,
    )
    return `http://${host}:${this.port}${path}`
  }

  /** Serve a file and return its address. */
  file(path: string, name = basename(path)): string {
    this.files.set(`/clips/${name}`, path)
    return `http://127.0.0.1:${this.port}/clips/${name}`
  }

  /** Give a file to media elements alone, as sites do that do not want to be linked to. */
  playersOnly(address: string): string {
    this.guarded.add(new URL(address).pathname)
    return address
  }

  /** Let requests for a file wait until the returned function is called. */
  hold(address: string): () => void {
    let release = (): void => {}
    this.held.set(new URL(address).pathname, new Promise((resume) => (release = resume)))
    return () => release()
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise<void>((done) => this.server.close(() => done()))
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://site').pathname
    const page = this.pages.get(path)
    if (page !== undefined) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
      return
    }
    const file = this.files.get(path)
    if (file === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not here')
      return
    }
    if (this.guarded.has(path) && request.headers['sec-fetch-dest'] !== 'video') {
      response.writeHead(403, { 'content-type': 'text/plain' }).end('for players only')
      return
    }
    await this.held.get(path)
    sendFile(file, request.headers.range, response)
  }
}

const MEDIA_TYPES: Record<string, string> = { mp4: 'video/mp4', mov: 'video/quicktime', webm: 'video/webm' }

function sendFile(path: string, range: string | undefined, response: ServerResponse): void {
  const size = statSync(path).size
  const type = MEDIA_TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
  const headers = { 'content-type': type, 'accept-ranges': 'bytes', 'cache-control': 'no-store' }
  const asked = /^bytes=(\d+)-(\d*)$/.exec(range ?? '')
  const start = Number(asked?.[1] ?? 0)
  const end = Math.min(asked?.[2] ? Number(asked[2]) : size - 1, size - 1)
  if (start > end) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end()
    return
  }
  const partial = asked ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}
  response.writeHead(asked ? 206 : 200, { ...headers, ...partial, 'content-length': end - start + 1 })
  createReadStream(path, { start, end })
    .on('error', () => response.destroy())
    .pipe(response)
}

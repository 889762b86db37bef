// The pages that are looked at, served on loopback, and the clip on them.
import { createServer } from 'node:http'
import { SCANS } from './scans.mjs'

const STATES = [...Object.keys(SCANS).filter((name) => name !== 'refused'), 'checking']

/** Every state of the badge, and every way of getting at bytes, in one grid. */
const grid = () => `<!doctype html><title>Badges</title><style>
  body { margin: 12px; font: 15px sans-serif; display: grid; grid-template-columns: repeat(4, max-content); gap: 12px }
  video { display: block; width: 260px; height: 146px; object-fit: cover; background: #777 }
  </style>${STATES.map((name) => `<div>${name}<video muted src="/clip.webm?as=${name}"></video></div>`).join('')}
  <div>refused, then fetched<video muted src="/clip.webm?as=refused"></video></div>
  <div>nobody can reach it<video muted src="http://127.0.0.2:9/gone.webm?as=refused"></video></div>
  <div>never loaded<video muted preload="none" src="/clip.webm?as=ai_signed&later"></video></div>
  <div>a stream<video muted id="stream"></video></div>
  <div>a blob<video muted id="blob"></video></div>
  <div>data:<video muted id="data"></video></div>
  <div>in pieces<video muted id="pieces"></video></div>
  <div>small<video muted src="/clip.webm?as=ai_signed" style="width: 120px; height: 104px"></video></div>
  <div>tiny<video muted src="/clip.webm?as=ai_signed" style="width: 80px; height: 60px"></video></div>
  <script>
    const by = (id) => document.getElementById(id)
    const canvas = document.createElement('canvas')
    canvas.getContext('2d').fillRect(0, 0, 9, 9)
    by('stream').srcObject = canvas.captureStream(5)
    fetch('/clip.webm').then((answer) => answer.blob()).then((blob) => {
      by('blob').src = URL.createObjectURL(blob)
      const reader = new FileReader()
      reader.onload = () => { by('data').src = reader.result.replace(/^data:[^,]*/, 'data:video/webm;base64') }
      reader.readAsDataURL(blob)
    })
    const source = new MediaSource()
    by('pieces').src = URL.createObjectURL(source)
    source.onsourceopen = () => {
      const buffer = source.addSourceBuffer('video/webm;codecs=vp8')
      fetch('/clip.webm').then((answer) => answer.arrayBuffer()).then((bytes) => buffer.appendBuffer(bytes))
    }
  </script>`

const one = (name) => `<!doctype html><title>One</title><style>body { margin: 0; background: #ddd }
  video { display: block; margin: 20px; width: 640px; height: 360px; object-fit: cover }</style>
  <video muted controls src="/clip.webm?as=${name}"></video>`

/** Things in the way: a sticky header, a scroller, a modal dialog, and full screen. */
const ways = `<!doctype html><title>Ways</title><style>
  body { margin: 0; height: 3000px; font: 15px sans-serif }
  header { position: sticky; top: 0; height: 60px; background: gold }
  video { display: block; width: 300px; height: 170px; background: #777 }
  #scroller { height: 200px; width: 400px; overflow: auto; border: 1px solid }
  #scroller > div { height: 600px; padding-top: 100px }</style>
  <header>sticky header</header>
  <video muted id="first" src="/clip.webm?as=ai_signed&1"></video>
  <div id="scroller"><div><video muted src="/clip.webm?as=ai_declared&1"></video></div></div>
  <div id="full" style="width: 300px"><video muted src="/clip.webm?as=camera&1"></video></div>
  <button id="go">full</button><button id="open">dialog</button>
  <dialog id="dialog"><video muted src="/clip.webm?as=ai_edited&1"></video></dialog>
  <script>go.onclick = () => full.requestFullscreen(); document.getElementById('open').onclick = () => dialog.showModal()</script>`

export const RECORD = `(async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 })
  const pen = canvas.getContext('2d')
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm;codecs=vp8' })
  const pieces = []
  recorder.ondataavailable = ({ data }) => pieces.push(data)
  const ended = new Promise((done) => { recorder.onstop = done })
  recorder.start()
  for (let at = 0; at < 25; at++) {
    const sky = pen.createLinearGradient(0, 0, 0, 360)
    sky.addColorStop(0, '#7db9e8'); sky.addColorStop(0.6, '#fdf6d8'); sky.addColorStop(1, '#3f6b3a')
    pen.fillStyle = sky; pen.fillRect(0, 0, 640, 360)
    pen.fillStyle = '#c0392b'; pen.beginPath(); pen.arc(120 + at * 12, 220, 50, 0, 7); pen.fill()
    await new Promise((done) => setTimeout(done, 40))
  }
  recorder.stop(); await ended
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer())
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
})()`

// As strict as pages get about styles and scripts: none of the page's own may run.
const STRICT =
  "default-src 'self'; media-src 'self'; connect-src 'none'; style-src 'nonce-none'; script-src 'none'"

export async function serve() {
  const site = { clip: Buffer.alloc(0), address: '', close: () => server.close() }
  const html = { 'content-type': 'text/html' }
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost')
    switch (pathname) {
      case '/clip.webm':
        response
          .writeHead(200, { 'content-type': 'video/webm', 'content-length': site.clip.length })
          .end(site.clip)
        break
      case '/grid':
        response.writeHead(200, html).end(grid())
        break
      case '/ways':
        response.writeHead(200, html).end(ways)
        break
      case '/one': {
        const strict = searchParams.has('csp') ? { 'content-security-policy': STRICT } : {}
        response.writeHead(200, { ...html, ...strict }).end(one(searchParams.get('as')))
        break
      }
      default:
        response.writeHead(404).end()
    }
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  site.address = `http://127.0.0.1:${server.address().port}`
  return site
}

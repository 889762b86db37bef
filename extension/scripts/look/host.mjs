#!/usr/bin/env node
// A native host for looking at the extension without the daemon: answers what `?as=` in the address asks for.
// Speaks docs/native-messaging.md on stdin and stdout.
import { randomUUID } from 'node:crypto'
import { SCANS } from './scans.mjs'

let held = Buffer.alloc(0)
let uploads = 0

function send(message) {
  const text = Buffer.from(JSON.stringify(message))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  process.stdout.write(Buffer.concat([length, text]))
}

const daemon = { protocol: 1, host_version: '0.1.0', daemon: 'up', daemon_version: '0.1.0' }
const limits = { message_bytes: 1048576, chunk_bytes: 524288, window: 4, upload_bytes: 2 ** 31, scans: 64 }

function scanned(request, url, kind) {
  const scan_id = randomUUID().replaceAll('-', '')
  const wanted = new URL(url ?? 'http://x/').searchParams.get('as') ?? 'no_signs'
  send({ type: 'accepted', request, scan_id })
  send({
    type: 'progress',
    scan_id,
    progress: { type: 'progress', stage: 'examine', fraction: 0.5, examiner: null },
  })
  if (wanted === 'checking') return
  const { verdict, evidence = [], skipped = {}, size_bytes = 1000 } = SCANS[wanted] ?? SCANS.no_signs
  const source = { kind, url, size_bytes: kind === 'url' ? size_bytes : 1000 }
  const checked = ['content_credentials', 'labels'].filter((name) => !(name in skipped))
  const scan = {
    schema: 'touchstone.scan/1',
    id: scan_id,
    source,
    verdict,
    evidence,
    checked,
    skipped,
    models: {},
    calibration: null,
    took_ms: 37.2,
  }
  setTimeout(() => send({ type: 'result', scan_id, scan }), 50)
}

const HANDLERS = {
  hello: (m) => send({ type: 'welcome', request: m.request, ...daemon, daemon_version: undefined, limits }),
  scan: (m) => scanned(m.request, m.source.url, 'url'),
  upload_begin: (m) => {
    uploads = 0
    send({ type: 'upload_ack', request: m.request, upload_id: m.upload_id, next_seq: 0, received: 0 })
  },
  upload_chunk: (m) => {
    uploads += Buffer.from(m.data, 'base64').length
    send({
      type: 'upload_ack',
      request: m.request,
      upload_id: m.upload_id,
      next_seq: m.seq + 1,
      received: uploads,
    })
  },
  upload_end: (m) => scanned(m.request, null, 'upload'),
  upload_abort: (m) => send({ type: 'upload_aborted', request: m.request, upload_id: m.upload_id }),
  get: (m) =>
    send({
      type: 'error',
      code: 203,
      name: 'scan_unknown',
      request: m.request,
      scan_id: m.scan_id,
      message: 'no such scan',
      fatal: false,
    }),
  cancel: (m) => send({ type: 'cancelled', request: m.request, scan_id: m.scan_id }),
  feedback: (m) => send({ type: 'feedback_taken', request: m.request, scan_id: m.scan_id }),
  status: (m) =>
    send({ type: 'status', request: m.request, ...daemon, protocol: undefined, scans: 0, uploads: 0 }),
}

send({ type: 'state', ...daemon })
process.stdin.on('data', (data) => {
  held = Buffer.concat([held, data])
  while (held.length >= 4 && held.length >= 4 + held.readUInt32LE(0)) {
    const end = 4 + held.readUInt32LE(0)
    const message = JSON.parse(held.subarray(4, end).toString())
    held = held.subarray(end)
    HANDLERS[message.type]?.(message)
  }
})
process.stdin.on('end', () => process.exit(0))

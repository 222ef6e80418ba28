import { DefaultDeserializer, DefaultSerializer, Serializer } from 'node:v8'

/**
 * The version of the format that every Node.js reads. The next version only adds lengths beyond 4 GiB, so bytes with its number,
 * which Deno writes, are read as this one.
 */
const version = 15
const sameVersion = 16

/** Notes whether it meets an ArrayBufferView, and writes only the part of the buffer that the view shows. */
class ViewSerializer extends DefaultSerializer {
  hasViews = false

  // Documented, but missing in the types of Node.js.
  _writeHostObject(view: NodeJS.ArrayBufferView): void {
    this.hasViews = true
    ;(DefaultSerializer.prototype as unknown as ViewSerializer)._writeHostObject.call(this, view)
  }
}

/** Gives each view a buffer of its own. */
class ViewDeserializer extends DefaultDeserializer {
  _readHostObject(): NodeJS.ArrayBufferView {
    const read = (DefaultDeserializer.prototype as unknown as ViewDeserializer)._readHostObject
    const view = read.call(this)
    if (view instanceof Uint8Array) return new Uint8Array(view)
    return view instanceof DataView
      ? new DataView(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength))
      : (view as Uint16Array).slice()
  }
}

/**
 * Serializes a structured clone in V8's format, which other runtimes can read. Throws a TypeError for what cannot be cloned,
 * such as a function.
 */
export function serialize(value: unknown): Uint8Array {
  const serializer = new ViewSerializer()
  const bytes = written(serializer, value)
  // V8 writes the whole buffer of a view, and a Buffer shares its buffer with others.
  return serializer.hasViews ? written(new Serializer(), deserialize(bytes)) : bytes
}

/** The structured clone of a serialization. Throws a TypeError for any other bytes. */
export function deserialize(bytes: Uint8Array): unknown {
  const deserializer = new ViewDeserializer(labelled(bytes))
  try {
    deserializer.readHeader()
    return deserializer.readValue()
  } catch (error) {
    throw new TypeError('Unable to deserialize cloned data', { cause: error })
  }
}

function written(serializer: Serializer, value: unknown): Uint8Array {
  serializer.writeHeader()
  try {
    serializer.writeValue(value)
  } catch (error) {
    throw new TypeError((error as Error).message, { cause: error })
  }
  return labelled(new Uint8Array(serializer.releaseBuffer()))
}

function labelled(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0xff || bytes[1] !== sameVersion) return bytes
  const copy = new Uint8Array(bytes)
  copy[1] = version
  return copy
}

"use strict";
/* The reverse of encoding.py: base64 of gzip to bytes. */

/** The bytes of a packed text, as an ArrayBuffer. */
function unzip(text) {
  const zipped = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

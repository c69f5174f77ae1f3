// Package media finds the opaque parts of a message: what a reader decodes before
// it shows it, so that a scanner of text sees only letters and digits. These are
//
//   - content blocks of images and audio, and whatever else carries data beside a
//     media type,
//   - contents of resources with a blob,
//   - data: URIs in a uri, url or src, icons among them, and strings that are one in
//     base64 as a whole.
//
// [Parts] says of each what it claims to be, what its bytes say that it is, and,
// when they are text, what the text is. Bytes that are text are text whatever their
// label is. Bytes are an image or audio only when they begin as a format of pixels
// or samples does and the label agrees; anything else is [Other]. Drawings and
// documents that hold text (SVG, HTML, XML) are text.
//
// Only the beginning of an image or a sound is looked at. A file that is a valid
// image and something else besides, that has text in its metadata or in its pixels,
// is an image here: this package says what a part is, not that it is harmless.
//
// [Strip] puts a text in the place of a part and keeps every other byte.
//
// The package does no input or output. Its functions take JSON that
// jsonrpc.Validate accepted, and their work is linear in its length; on other
// bytes they return an error and do not panic.
package media

package media

import "bytes"

// format is a format of pixels or samples and how its files begin. A library that
// knows hundreds of formats would have to read archives and programs to tell them
// apart, and what a part may be without being blocked is a short list anyway.
type format struct {
	name string // media type
	kind Kind
	// The bytes begin with magic, and have more at offset at.
	magic string
	at    int
	more  string
}

// mpeg is the media type of MP3.
const mpeg = "audio/mpeg"

// formats are those that models and clients take as images or audio.
var formats = []format{
	{"image/png", Image, "\x89PNG\r\n\x1a\n", 12, "IHDR"},
	{"image/jpeg", Image, "\xff\xd8\xff", 0, ""},
	{"image/gif", Image, "GIF87a", 0, ""},
	{"image/gif", Image, "GIF89a", 0, ""},
	{"image/webp", Image, "RIFF", 8, "WEBPVP8"},
	{"image/tiff", Image, "II*\x00", 0, ""},
	{"image/tiff", Image, "MM\x00*", 0, ""},
	// The reserved words of the header are 0 in every bitmap.
	{"image/bmp", Image, "BM", 6, "\x00\x00\x00\x00"},
	{"image/x-icon", Image, "\x00\x00\x01\x00", 0, ""},
	{"image/jxl", Image, "\xff\x0a", 0, ""},
	{"image/jxl", Image, "\x00\x00\x00\x0cJXL \r\n\x87\n", 0, ""},
	{"image/jp2", Image, "\x00\x00\x00\x0cjP  \r\n\x87\n", 0, ""},
	{"image/avif", Image, "\x00\x00", 4, "ftypavif"},
	{"image/avif", Image, "\x00\x00", 4, "ftypavis"},
	{"image/heic", Image, "\x00\x00", 4, "ftypheic"},
	{"image/heic", Image, "\x00\x00", 4, "ftypheix"},
	{"image/heif", Image, "\x00\x00", 4, "ftypmif1"},

	{mpeg, Audio, "ID3", 0, ""},
	{"audio/wav", Audio, "RIFF", 8, "WAVE"},
	{"audio/ogg", Audio, "OggS\x00", 28, "\x01vorbis"},
	{"audio/ogg", Audio, "OggS\x00", 28, "OpusHead"},
	{"audio/ogg", Audio, "OggS\x00", 28, "Speex   "},
	{"audio/ogg", Audio, "OggS\x00", 28, "\x7fFLAC"},
	{"audio/flac", Audio, "fLaC", 0, ""},
	{"audio/mp4", Audio, "\x00\x00", 4, "ftypM4A "},
	{"audio/mp4", Audio, "\x00\x00", 4, "ftypM4B "},
	{"audio/aiff", Audio, "FORM", 8, "AIFF"},
	{"audio/aiff", Audio, "FORM", 8, "AIFC"},
	{"audio/basic", Audio, ".snd", 0, ""},
	{"audio/midi", Audio, "MThd\x00\x00\x00\x06", 0, ""},
	{"audio/amr", Audio, "#!AMR", 0, ""},
	// A stream without a header: layer III and II frames of MPEG 1 and 2, ADTS.
	{mpeg, Audio, "\xff\xfb", 0, ""},
	{mpeg, Audio, "\xff\xfa", 0, ""},
	{mpeg, Audio, "\xff\xf3", 0, ""},
	{mpeg, Audio, "\xff\xf2", 0, ""},
	{mpeg, Audio, "\xff\xfd", 0, ""},
	{"audio/aac", Audio, "\xff\xf1", 0, ""},
	{"audio/aac", Audio, "\xff\xf9", 0, ""},
}

// formatOf returns the format that the bytes begin as.
func formatOf(head []byte) (name string, k Kind) {
	for i := range formats {
		f := &formats[i]
		if !bytes.HasPrefix(head, []byte(f.magic)) {
			continue
		}
		if len(head) >= f.at && bytes.HasPrefix(head[f.at:], []byte(f.more)) {
			return f.name, f.kind
		}
	}
	return "", Other
}

// Known reports whether a media type is one that text of the relay may name: all
// others could say anything.
func Known(mediaType string) bool {
	switch mediaType {
	case "application/pdf", "application/zip", "application/gzip", "application/json", "application/xml",
		"application/octet-stream", "image/svg+xml", "text/plain", "text/html", "text/css", "text/csv", "text/markdown",
		"image/jpg", "image/heif", "audio/mp3", "audio/x-wav", "video/mp4", "video/webm":
		return true
	}
	for i := range formats {
		if formats[i].name == mediaType {
			return true
		}
	}
	return false
}

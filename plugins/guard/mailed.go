package guard

import (
	"encoding/ascii85"
	"io"
	"mime/quotedprintable"
	"strings"
)

// mailed returns the views of text in the encodings of mail and news: quoted
// printable, ascii85 between its marks, and uuencoded files.
func mailed(text string) []view {
	var views []view
	if strings.Count(text, "=") >= manyQuotes {
		views = append(views, quotedLines(text)...)
	}
	if start := strings.Index(text, "<~"); start >= 0 {
		if n := strings.Index(text[start:], "~>"); n > 2 {
			source := text[start+2 : start+n]
			out := make([]byte, 4*len(source)+4)
			if n, _, err := ascii85.Decode(out, []byte(source), true); err == nil && readable(string(out[:n])) {
				at := span{start, start + len(source) + 4}
				views = append(views, view{text: string(out[:n]), via: "ascii85", hidden: true, whole: &at})
			}
		}
	}
	if start := strings.Index(text, "begin "); start >= 0 {
		if plain, end := uudecoded(text[start:]); readable(plain) {
			at := span{start, start + end}
			views = append(views, view{text: plain, via: "uuencoded", hidden: true, whole: &at})
		}
	}
	return views
}

// manyQuotes is how many bytes a line of quoted printable text has quoted.
const manyQuotes = 8

// quotedLines returns the lines that are quoted printable for the most part.
func quotedLines(text string) []view {
	var views []view
	for start := 0; start < len(text) && len(views) < maxDecoded; {
		end := start + strings.IndexByte(text[start:], '\n')
		for end > start && text[end-1] == '=' && end+1 < len(text) {
			next := strings.IndexByte(text[end+1:], '\n') // a soft line break
			if next < 0 {
				end = len(text)
				break
			}
			end += next + 1
		}
		if end < start {
			end = len(text)
		}
		line := text[start:end]
		from := strings.IndexByte(line, '=')
		if from >= 0 && 6*quotedBytes(line) > len(line)-from {
			for from+1 < len(line) && !quotedAt(line, from) {
				from++
			}
			raw, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(line[from:])))
			if readable(string(raw)) {
				at := span{start + from, end}
				views = append(views, view{text: string(raw), via: "quoted printable", whole: &at})
			}
		}
		start = end + 1
	}
	return views
}

// quotedBytes counts what is =41 in line.
func quotedBytes(line string) int {
	n := 0
	for i := range len(line) {
		if quotedAt(line, i) {
			n++
		}
	}
	return n
}

func quotedAt(s string, i int) bool {
	return i+2 < len(s) && s[i] == '=' && hexByte(s[i+1]) && hexByte(s[i+2])
}

// uudecoded returns the content of the file that text begins with, and where it
// ends.
func uudecoded(text string) (plain string, end int) {
	head, rest, ok := strings.Cut(text, "\n")
	if fields := strings.Fields(head); !ok || len(fields) < 2 || strings.Trim(fields[1], "01234567") != "" {
		return "", 0
	}
	end = len(head) + 1
	var out []byte
	for line := range strings.Lines(rest) {
		body := strings.TrimRight(line, "\r\n")
		if body == "" || body == "end" || body == "`" || len(out) > maxUnpacked {
			break
		}
		size := int(body[0]-' ') & 63
		var group []byte
		for i := 1; i+3 < len(body); i += 4 {
			n := 0
			for j := range 4 {
				n = n<<6 | int(body[i+j]-' ')&63
			}
			group = append(group, byte(n>>16), byte(n>>8), byte(n))
		}
		out = append(out, group[:min(size, len(group))]...)
		end += len(line)
	}
	return string(out), end
}

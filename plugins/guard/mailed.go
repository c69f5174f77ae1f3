package guard

import (
	"encoding/ascii85"
	"io"
	"mime/quotedprintable"
	"strings"
)

// mailed returns the views of text in the encodings of mail and news: quoted
// printable, ascii85 between its marks, and uuencoded files.
func mailed(text string) (views []view, cut bool) {
	if strings.Count(text, "=") >= manyQuotes {
		views, cut = quotedLines(text)
	}
	more, left := fromMark(text, "<~", ascii85Text, "ascii85")
	views, cut = append(views, more...), cut || left
	more, left = fromMark(text, uuMark, uudecoded, "uuencoded")
	return append(views, more...), cut || left
}

// fromMark returns the views of text that read decodes where mark stands. Read
// returns where to go on.
func fromMark(text, mark string, read func(rest string) (plain string, end int), via string) (views []view, cut bool) {
	for start := 0; ; {
		next := strings.Index(text[start:], mark)
		if next < 0 {
			return views, false
		}
		start += next
		plain, end := read(text[start:])
		if readable(plain) {
			if len(views) == maxDecoded {
				return views, true
			}
			views = append(views, view{text: plain, via: via, hidden: true, whole: &span{start, start + end}})
		}
		start += max(end, len(mark))
	}
}

// ascii85Text returns what stands between the marks that text begins with, and
// where it ends. A mark without its end hides none that follows.
func ascii85Text(text string) (plain string, end int) {
	n := strings.Index(text, "~>")
	if n < 0 {
		return "", len(text)
	}
	source := text[:n]
	source = source[strings.LastIndex(source, "<~")+2:]
	out := make([]byte, 4*len(source)+4)
	size, _, err := ascii85.Decode(out, []byte(source), true)
	if err != nil {
		size = 0
	}
	return string(out[:size]), n + 2
}

// manyQuotes is how many bytes a line of quoted printable text has quoted.
const manyQuotes = 8

// quotedLines returns the lines that are quoted printable for the most part.
func quotedLines(text string) (views []view, cut bool) {
	for start := 0; start < len(text); {
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
				if len(views) == maxDecoded {
					return views, true
				}
				at := span{start + from, end}
				views = append(views, view{text: string(raw), via: "quoted printable", whole: &at})
			}
		}
		start = end + 1
	}
	return views, false
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

// uuMark begins an uuencoded file.
const uuMark = "begin "

// uudecoded returns the content of the file that text begins with, and where it
// ends.
func uudecoded(text string) (plain string, end int) {
	head, rest, ok := strings.Cut(text, "\n")
	fields := strings.Fields(head[strings.LastIndex(head, uuMark):])
	if !ok || len(fields) < 2 || strings.Trim(fields[1], "01234567") != "" {
		return "", len(head)
	}
	end = len(head) + 1
	var out []byte
	for line := range strings.Lines(rest) {
		body := strings.TrimRight(line, "\r\n")
		if body == "" || body == "end" || body == "`" || strings.HasPrefix(body, uuMark) || len(out) > maxUnpacked {
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

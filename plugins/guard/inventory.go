package guard

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// The detectors that need to know what other servers offer.
const (
	shadowsName = "shadows_name"
	namesOther  = "names_other_tool"
)

// shadowGroup is the group of what changes the use of another tool.
const shadowGroup = "shadow"

// mentionPoints is what it counts that a text names another server's tool.
const mentionPoints = 3

// maxMentions is how many mentions of one text count.
const maxMentions = 50

// ordering are the groups beside which the name of another server's tool is more
// than a mention.
var ordering = [...]string{
	"override", "goal", "address", "secrecy", "control", "privilege", "sink", "persist", "steer",
}

// ownTool is a tool of the catalogue that is judged.
type ownTool struct {
	pointer, name, description string
	style                      style
}

// inventory is what other servers offer, and what the judged catalogue has.
type inventory struct {
	own     []ownTool
	offered map[string]bool        // names of the catalogue's own tools
	near    map[byte][]offeredName // by the first letter of the skeleton
	named   map[string]bool        // distinctive names, in lower case
}

// offeredName is another server's tool, taken apart.
type offeredName struct {
	name, skeleton, letters string
	words                   []string
	style                   style
}

// newInventory returns nil when there is nothing to compare with.
func (t *tables) newInventory(c *scanner.Content) *inventory {
	if c.Phase != scanner.PhaseDefinition || len(c.Inventory) == 0 {
		return nil
	}
	in := &inventory{offered: map[string]bool{}, near: map[byte][]offeredName{}, named: map[string]bool{}}
	var catalogue struct {
		Tools []map[string]json.RawMessage `json:"tools"`
	}
	if c.Kind == scanner.KindJSON && json.Unmarshal(c.Data, &catalogue) == nil {
		for i, raw := range catalogue.Tools {
			tool := ownTool{pointer: "/tools/" + strconv.Itoa(i) + "/name"}
			if json.Unmarshal(raw["name"], &tool.name) != nil || tool.name == "" || len(tool.name) > maxComparedName {
				continue
			}
			_ = json.Unmarshal(raw["description"], &tool.description) // one of another type says nothing
			tool.description, tool.style = strings.ToLower(tool.description), styleOf(tool.name)
			in.own, in.offered[tool.name] = append(in.own, tool), true
		}
	}
	for _, o := range c.Inventory {
		if in.offered[o.Name] || o.Name == "" || len(o.Name) > maxComparedName {
			continue // servers of one kind have tools of one name
		}
		if distinctive(o.Name) {
			in.named[strings.ToLower(o.Name)] = true
		}
		n := t.offeredName(o.Name)
		if len(n.letters) >= minCompared {
			in.near[n.skeleton[0]] = append(in.near[n.skeleton[0]], n)
		}
	}
	return in
}

// distinctive reports whether no text has name in it by chance: it is made of two
// words at least.
func distinctive(name string) bool {
	const shortest = 6
	return len(name) >= shortest && len(nameParts(name)) > 1 && strings.Trim(name, "0123456789_-.") != ""
}

// resembling reports the tools whose names can be taken for those of others.
func (s *scan) resembling() {
	r := s.builtin[shadowsName]
	if s.inventory == nil || r == nil || !s.settings.wants(r) {
		return
	}
	for i := range s.inventory.own {
		tool := &s.inventory.own[i]
		mine := s.tables.offeredName(tool.name)
		if len(mine.letters) < minCompared {
			continue
		}
		for j := range s.inventory.near[mine.skeleton[0]] {
			if !s.budget.take(1) {
				s.uninspected(tool.pointer, "work limit")
				return
			}
			if s.inventory.mistaken(tool, &mine, &s.inventory.near[mine.skeleton[0]][j]) {
				f := field{pointer: tool.pointer, text: tool.name, role: roleName}
				s.matched(f, r, &view{}, span{0, len(tool.name)}, 0)
				break
			}
		}
	}
}

// named reports a text that names another server's tool and gives orders beside:
// the mention counts as one of the parts of an order.
func (s *scan) named(f field, base int, v *view, traits []trait) {
	r := s.builtin[namesOther]
	if r == nil || !s.settings.wants(r) || f.role != roleDescription && f.role != roleSchema {
		return
	}
	at := s.inventory.mentions(v.text)
	if len(at) == 0 {
		return
	}
	in := s.instructions
	alone, _ := in.judge(s.phase, v.text, traits, v.hidden)
	for _, m := range at {
		traits = append(traits, trait{in.shadow, mentionPoints, m})
	}
	j, ok := in.judge(s.phase, v.text, traits, v.hidden)
	limit := in.limits[s.phase]
	if !ok || j.points <= alone.points || j.points < limit.Flag || !commanding(j.groups) {
		return
	}
	res := result{action: r.actions[s.phase], Finding: scanner.Finding{
		Rule: r.ID, Category: r.Category, Severity: r.severity, Confidence: r.Confidence,
		Message: r.message(v.via) + " Parts of orders stand together: " + j.groups,
	}}
	if limit.Block > 0 && j.points >= limit.Block {
		res.action, res.Severity = scanner.ActionBlock, scanner.SeverityHigh
	}
	s.add(f, v, j.at, base, res)
}

// commanding reports whether a list of groups has one of those that make an order.
func commanding(groups string) bool {
	for g := range strings.SplitSeq(groups, ", ") {
		for _, o := range ordering {
			if g == o {
				return true
			}
		}
	}
	return false
}

// mentions returns where text names tools of others.
func (in *inventory) mentions(text string) []span {
	var at []span
	for i := 0; i < len(text) && len(at) < maxMentions; {
		if !nameByte(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && nameByte(text[i]) {
			i++
		}
		word := strings.TrimRight(text[start:i], ".-")
		if len(word) > maxComparedName {
			continue
		}
		lower := strings.ToLower(word)
		// As the relay offers it, the server's name stands before the tool's.
		_, bare, prefixed := strings.Cut(lower, "__")
		if in.named[lower] || prefixed && in.named[bare] {
			at = append(at, span{start, start + len(word)})
		}
	}
	return at
}

func nameByte(c byte) bool {
	return asciiLetter(c) || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
}

package guard

import (
	"bytes"
	"os"
	"path"
	"reflect"
	"slices"
	"testing"
)

const howToCompile = "run go generate ./plugins/guard"

// TestCompiledRulesAreTrue checks that what is compiled is what would be read
// without it.
func TestCompiledRulesAreTrue(t *testing.T) {
	if *update {
		t.Skip("it is written anew")
	}
	c := loadCompiled()
	if len(c.files) == 0 {
		t.Fatalf("compiled.bin cannot be read: %s", howToCompile)
	}
	used := 0
	for _, f := range embeddedFiles(t) {
		got := reflect.New(reflect.TypeOf(f.value).Elem())
		if !c.file(f.name, f.data, got.Interface()) {
			t.Logf("%s has changed since it was compiled, which makes the start slower: %s", f.name, howToCompile)
			continue
		}
		used++
		if !bytes.Equal(written(t, f.value), written(t, got.Interface())) {
			t.Errorf("%s is not compiled as it is: %s", f.name, howToCompile)
		}
	}
	if used == 0 {
		t.Logf("no file is as it was compiled: %s", howToCompile)
	}
	for _, s := range allSources(t) {
		whole := s.group != 0 || len(s.keywords) > 0
		got := c.branches(planKey(s.pattern, s.keywords, whole, s.repeat))
		if got == nil {
			continue
		}
		want, err := newBranches(s.pattern, s.keywords, whole, s.repeat)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written(t, &got), written(t, &want)) {
			t.Errorf("%q is not taken apart as it is compiled: %s", s.name, howToCompile)
		}
	}
}

// TestCompiledRulesAreCurrent makes compiled.bin again and compares.
func TestCompiledRulesAreCurrent(t *testing.T) {
	want := compile(t)
	if *update {
		if err := os.WriteFile("compiled.bin", want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if compiledData != string(want) {
		t.Fatalf("compiled.bin is not made from the rules as they are, which makes the start slower: %s", howToCompile)
	}
}

// TestCompiledRulesDamaged: rules that cannot be read compiled are read from their
// files.
func TestCompiledRulesDamaged(t *testing.T) {
	files := embeddedFiles(t)
	whole := compile(t)
	for n := 0; n < len(whole); n += len(whole) / 20 {
		c := readCompiled(string(whole[:n]))
		for _, f := range files {
			got := reflect.New(reflect.TypeOf(f.value).Elem())
			if c.file(f.name, f.data, got.Interface()) && !bytes.Equal(written(t, f.value), written(t, got.Interface())) {
				t.Fatalf("%d bytes: %s is read wrongly", n, f.name)
			}
		}
	}
}

// embeddedFile is one file of rules, read without what is compiled.
type embeddedFile struct {
	name  string
	data  []byte
	value any
}

// embeddedFiles reads all files of rules as they are embedded.
func embeddedFiles(t *testing.T) []embeddedFile {
	t.Helper()
	files := []embeddedFile{
		{secretName, secretData, &secretFile{}},
		{tokenName, tokenData, &secretFile{}},
	}
	for i := range files {
		if err := files[i].value.(*secretFile).decode(files[i].data); err != nil { //nolint:forcetypeassert // as above
			t.Fatal(err)
		}
	}
	kinds := map[string]func() any{
		rulesDir:       func() any { return &ruleFile{} },
		instructionDir: func() any { return &instructions{} },
		phraseDir:      func() any { return &phraseFile{} },
		sayingDir:      func() any { return &sayingFile{} },
	}
	dirs := []string{rulesDir}
	for len(dirs) > 0 {
		dir := dirs[0]
		dirs = dirs[1:]
		entries, err := ruleFiles.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			if e.IsDir() {
				dirs = append(dirs, name)
				continue
			}
			data, err := ruleFiles.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			kind := kinds[dir]
			if kind == nil {
				t.Fatalf("%s: say in this test what the files of %s are read into", name, dir)
			}
			f := embeddedFile{name, data, kind()}
			if err := decodeRules(name, data, f.value); err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
	}
	return files
}

// allSources lists the patterns of all embedded rules.
func allSources(t *testing.T) []source {
	t.Helper()
	e, err := loadEngine()
	if err != nil {
		t.Fatal(err)
	}
	var rules []*rule
	for i := range e.rules {
		if r := &e.rules[i]; r.Builtin == "" {
			rules = append(rules, r)
		}
	}
	return append(ruleSources(rules), e.sources()...)
}

// compile makes compiledData.
func compile(t *testing.T) []byte {
	t.Helper()
	table := newStringTable()
	values, contents := newCompactWriter(table), newCompactWriter(table)
	write := func(w *compactWriter, value any) {
		if err := w.value(reflect.ValueOf(value).Elem()); err != nil {
			t.Fatal(err)
		}
	}
	files := embeddedFiles(t)
	contents.size(len(files))
	for _, f := range files {
		contents.text(f.name)
		contents.text(digest(f.data))
		contents.text(shapeDigest(f.value))
		contents.size(len(values.data))
		write(values, f.value)
	}
	plans := map[string][]branch{}
	for _, s := range allSources(t) {
		whole := s.group != 0 || len(s.keywords) > 0
		list, err := newBranches(s.pattern, s.keywords, whole, s.repeat)
		if err != nil {
			t.Fatal(err)
		}
		plans[planKey(s.pattern, s.keywords, whole, s.repeat)] = list
	}
	contents.size(len(plans))
	keys := make([]string, 0, len(plans))
	for k := range plans {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		contents.text(k)
		contents.size(len(values.data))
		list := plans[k]
		write(values, &list)
	}
	head := compactWriter{data: []byte(compiledFormat)}
	head.texts(table)
	return slices.Concat(head.data, contents.data, values.data)
}

// written returns a value in a form that tells values apart.
func written(t *testing.T, value any) []byte {
	t.Helper()
	table := newStringTable()
	w := newCompactWriter(table)
	if err := w.value(reflect.ValueOf(value).Elem()); err != nil {
		t.Fatal(err)
	}
	w.texts(table)
	return w.data
}

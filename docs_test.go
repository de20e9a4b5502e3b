package nhip_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// The tests in this file compare the documentation with the repository: links, paths, and names of tests.

var (
	fencedCode = regexp.MustCompile("(?ms)^```.*?^```")
	inlineCode = regexp.MustCompile("`([^`]+)`")
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	sourceFile = regexp.MustCompile(`^\w[\w.-]*\.(?:go|ts)$`)
	repoPath   = regexp.MustCompile(
		`^(?:\./)?(?:api|app|client|cmd|collector|deploy|docs|gateway|geo|internal)/[\w./*@-]*$`)

	// formatSection matches the start of a section of docs/formats.md, up to the topic.
	formatSection = regexp.MustCompile("(?m)^## `[a-z-]+`\n\n.*\nTopic: `([^`]+)`")

	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)[A-Z]\w*)\(`)
	testName   = regexp.MustCompile(`\b(?:Test|Benchmark|Fuzz)[A-Z]\w*`)
	goTest     = regexp.MustCompile("go test (\\./\\S*)([^`\n]*)")
	goTestFlag = regexp.MustCompile(`-(?:run|bench|fuzz) '?([^' ]+)`)
	makeBench  = regexp.MustCompile(`make bench BENCH=(\S+) BENCH_PACKAGES=(\S+)`)
)

func TestDocumentationLinksResolve(t *testing.T) {
	r := readRepository(t)
	for page, text := range r.pages {
		for _, m := range link.FindAllStringSubmatch(fencedCode.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: broken link %s", page, m[1])
			} else if anchor != "" && !slices.Contains(anchors(r.pages[target]), anchor) {
				t.Errorf("%s: link %s to a missing heading", page, m[1])
			}
		}
	}
}

func TestDocumentationPathsExist(t *testing.T) {
	r := readRepository(t)
	for page, text := range r.pages {
		for _, m := range inlineCode.FindAllStringSubmatch(fencedCode.ReplaceAllString(text, ""), -1) {
			for word := range strings.FieldsSeq(m[1]) {
				if sourceFile.MatchString(word) && !r.sources[word] {
					t.Errorf("%s: no file named %s", page, word)
				}
				if !repoPath.MatchString(word) {
					continue
				}
				if found, err := filepath.Glob(word); err != nil || len(found) == 0 {
					t.Errorf("%s: missing path %s", page, word)
				}
			}
		}
	}
}

func TestDocumentationNamesExistingTests(t *testing.T) {
	r := readRepository(t)
	for page, text := range r.pages {
		for _, name := range testName.FindAllString(text, -1) {
			if !r.hasTest("./...", "^"+name+"$") {
				t.Errorf("%s: no test named %s", page, name)
			}
		}
		for _, s := range testSelections(text) {
			if !r.hasTest(s.packages, s.pattern) {
				t.Errorf("%s: no test in %s matches %s", page, s.packages, s.pattern)
			}
		}
	}
}

// TestReadmeCountsFormats compares the README with docs/formats.md, which another test compares with the decoders.
func TestReadmeCountsFormats(t *testing.T) {
	pages := readRepository(t).pages
	sections := formatSection.FindAllStringSubmatch(pages["docs/formats.md"], -1)
	devices := 0
	for _, m := range sections {
		if !strings.HasPrefix(m[1], "nhip/in/import/") {
			devices++
		}
	}
	want := fmt.Sprintf("in one of %d [formats]", devices)
	if len(sections) == 0 || !strings.Contains(pages["README.md"], want) {
		t.Errorf("README.md does not contain %q; docs/formats.md has %d formats", want, len(sections))
	}
}

// repository is what the documentation is compared with.
type repository struct {
	pages   map[string]string   // text of each Markdown file, by path
	sources map[string]bool     // base names of the Go and TypeScript files
	tests   map[string][]string // names of test, benchmark and fuzz functions, by folder
}

// readRepository reads the pages and the tests of the repository, without what was built or installed.
func readRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{pages: map[string]string{}, sources: map[string]bool{}, tests: map[string][]string{}}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if path != "." && skipped(entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		return r.add(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func skipped(folder string) bool {
	built := []string{"node_modules", "dist", "bin", "testdata", "test-output", "nhip-data", "demo-data"}
	return strings.HasPrefix(folder, ".") || slices.Contains(built, folder)
}

func (r *repository) add(path string) error {
	switch filepath.Ext(path) {
	case ".go", ".ts":
		r.sources[filepath.Base(path)] = true
	}
	page, test := strings.HasSuffix(path, ".md"), strings.HasSuffix(path, "_test.go")
	if !page && !test {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if page {
		r.pages[path] = string(text)
		return nil
	}
	for _, m := range testFunc.FindAllSubmatch(text, -1) {
		r.tests[filepath.Dir(path)] = append(r.tests[filepath.Dir(path)], string(m[1]))
	}
	return nil
}

// hasTest reports whether a function in the packages ("./geo/index" or "./geo/...") matches the pattern.
func (r *repository) hasTest(packages, pattern string) bool {
	matches := regexp.MustCompile(pattern).MatchString
	root, recursive := strings.CutSuffix(packages, "...")
	root = filepath.Clean(root)
	for folder, names := range r.tests {
		below := root == "." || strings.HasPrefix(folder, root+"/")
		if (folder == root || recursive && below) && slices.ContainsFunc(names, matches) {
			return true
		}
	}
	return false
}

// testSelection is a pattern of tests to run in some packages.
type testSelection struct{ packages, pattern string }

// testSelections returns what the commands of a page run.
func testSelections(page string) (selections []testSelection) {
	for _, command := range goTest.FindAllStringSubmatch(page, -1) {
		for _, flag := range goTestFlag.FindAllStringSubmatch(command[2], -1) {
			if none := "^$"; flag[1] != none {
				selections = append(selections, testSelection{packages: command[1], pattern: flag[1]})
			}
		}
	}
	for _, m := range makeBench.FindAllStringSubmatch(page, -1) {
		selections = append(selections, testSelection{packages: m[2], pattern: m[1]})
	}
	return selections
}

func TestTestSelections(t *testing.T) {
	page := "| `go test ./collector -run TestOne` |\n" +
		"go test ./geo/index -run '^$' -bench Nearest10\n" +
		"make bench BENCH=Serve BENCH_PACKAGES=./api BENCH_ROUNDS=6 && go test ./...\n"
	want := []testSelection{{"./collector", "TestOne"}, {"./geo/index", "Nearest10"}, {"./api", "Serve"}}
	if got := testSelections(page); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// anchors returns the anchors that GitHub gives to the headings of a page.
func anchors(page string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(fencedCode.ReplaceAllString(page, ""), -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		all = append(all, anchor)
	}
	return all
}

func TestAnchors(t *testing.T) {
	got := anchors("# Roles apart\n```\n# no heading\n```\n## Over HTTP: `BenchmarkServe`\n")
	if want := []string{"roles-apart", "over-http-benchmarkserve"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

package settings

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip/internal/memorytest"
)

// hostile are texts that make the YAML library use gigabytes of memory, or overflow its stack.
var hostile = map[string]func() string{
	"brackets":         func() string { return strings.Repeat("[", 40_000) },
	"more brackets":    func() string { return strings.Repeat("[", 2<<20) },
	"braces":           func() string { return strings.Repeat("{a: ", 500_000) },
	"closed brackets":  func() string { return strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) },
	"quoted brackets":  func() string { return strings.Repeat(`["]", `, 20_000) },
	"apostrophes":      func() string { return strings.Repeat("[it's, ", 20_000) },
	"brackets by line": func() string { return strings.Repeat("[\n", 20_000) },
	"dashes":           func() string { return strings.Repeat("- ", 500_000) + "a" },
	"dashes by line":   func() string { return stairs("-", 1500) },
	"keys by line":     func() string { return stairs("a:", 1500) },
	"question marks":   func() string { return strings.Repeat("? ", 500_000) + "a" },
	"anchors":          func() string { return strings.Repeat("&a ", 500_000) + "a" },
	"tags":             func() string { return strings.Repeat("!a ", 500_000) + "a" },
	"tags by line":     func() string { return strings.Repeat("!a\n", 200_000) + "a" },
	"colons":           func() string { return strings.Repeat("a: ", 500_000) + "a" },
	"flow pairs":       func() string { return "[" + strings.Repeat("a: ", 500_000) + "a]" },
	"a long key": func() string {
		return strings.Repeat("k", 1<<20) + ": [" + strings.Repeat("a,", 500_000) + "]"
	},
	"a long quoted key": func() string {
		return `"` + strings.Repeat("k", 1<<20) + "\":\n" + strings.Repeat("- a\n", 200_000)
	},
	"commas":              func() string { return "a: [" + strings.Repeat(",", 8<<20) },
	"lines":               func() string { return strings.Repeat("\n", 8<<20) },
	"documents":           func() string { return strings.Repeat("---\n", 2<<20) },
	"comments":            func() string { return strings.Repeat("#\n", 4<<20) },
	"a long comment":      func() string { return "#" + strings.Repeat("a", 15<<20) },
	"a long text":         func() string { return "a: " + strings.Repeat("a", 15<<20) },
	"a long quoted text":  func() string { return `a: "` + strings.Repeat("a", 15<<20) + `"` },
	"a long block":        func() string { return "a: |\n" + strings.Repeat(" a\n", 600_000) },
	"a folded block":      func() string { return "a: >\n" + strings.Repeat(" a\n", 600_000) },
	"plain text on lines": func() string { return "a: b\n" + strings.Repeat(" b\n", 600_000) },
	"unknown keys":        func() string { return numberedLines("k%d: 1\n", 100_000) },
	"the same key":        func() string { return strings.Repeat("a: 1\n", 100_000) },
	"too large":           func() string { return strings.Repeat("a", MaxFile+1) },
	"spaces":              func() string { return strings.Repeat(" ", 15<<20) },
	"tabs":                func() string { return "a:" + strings.Repeat("\t", 1<<20) },
	"carriage returns":    func() string { return strings.Repeat("a\r", 1<<20) },
}

// stairs returns n lines, each with one more space in front.
func stairs(text string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + text + "\n")
	}
	return b.String()
}

func numberedLines(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestHostileFilesNeedLittleMemory(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			peak, measured := memorytest.Peak(t, func() {
				raw := []byte(text())
				f := NewFile("nhip.yaml")
				a := ""
				f.Read(raw, []Setting{{Key: "a", Value: Text(&a, Name)}}, nil)
				t.Logf("%d faults: %.200v", len(f.Faults), f.Faults[:min(len(f.Faults), 2)])
			})
			if !measured {
				return
			}
			t.Logf("%s: %d MB after %s", name, peak>>20, time.Since(begun).Round(time.Millisecond))
			if most := int64(256 << 20); peak > most {
				t.Errorf("%d MB of memory, want at most %d", peak>>20, most>>20)
			}
		})
	}
}

// TestMain removes what the tests of memory have built.
func TestMain(m *testing.M) { memorytest.Main(m) }

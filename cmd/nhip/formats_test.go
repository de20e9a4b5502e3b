package main

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nhip/collector"
)

// block is a fenced block of a page: what its fence says, and what it holds.
var block = regexp.MustCompile("(?s)```([a-z0-9]*)\n(.*?)\n```")

// flag is one word of a command line, in quotes or not.
var flag = regexp.MustCompile(`'[^']*'|[^ ]+`)

// TestTheFormatsPageIsTrue decodes each example of docs/formats.md as the page says, and holds what
// comes out against what it shows.
func TestTheFormatsPageIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range collector.Formats() {
		t.Run(format, func(t *testing.T) {
			_, section, found := strings.Cut(string(page), "\n## `"+format+"`\n")
			if !found {
				t.Fatal("is not on the page")
			}
			section, _, _ = strings.Cut(section, "\n## ")
			blocks := block.FindAllStringSubmatch(section, -1)
			if len(blocks) != 3 || !strings.Contains(section, "\n- ") {
				t.Fatalf("has %d blocks, want payload, command and facts, and its traps", len(blocks))
			}
			payload := []byte(blocks[0][2])
			if blocks[0][1] == "base64" {
				if payload, err = base64.StdEncoding.DecodeString(blocks[0][2]); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(t.TempDir(), "payload")
			if err := os.WriteFile(path, payload, 0o600); err != nil {
				t.Fatal(err)
			}
			args := arguments(blocks[1][2])
			var out, errs bytes.Buffer
			if code := execute(t.Context(), append(args, path), &out, &errs); code != 0 || strings.TrimSpace(out.String()) != blocks[2][2] {
				t.Errorf("nhip %v exits with %d: %s\n%s\nthe page shows\n%s", args, code, &errs, &out, blocks[2][2])
			}
		})
	}
}

// arguments are those of the nhip in a line of a shell.
func arguments(line string) (args []string) {
	_, line, _ = strings.Cut(line, "nhip ")
	line, _, _ = strings.Cut(line, " < ")
	for _, word := range flag.FindAllString(line, -1) {
		args = append(args, strings.Trim(word, "'"))
	}
	return args
}

package main

import (
	"bytes"
	"encoding/base64"
	"os"
	"regexp"
	"strings"
	"testing"

	"nhip/app/apptest"
	"nhip/collector"
)

// fencedBlock matches a fenced block of a page: its language and its content.
var fencedBlock = regexp.MustCompile("(?s)```([a-z0-9]*)\n(.*?)\n```")

// shellWord matches a word of a command line, quoted or not.
var shellWord = regexp.MustCompile(`'[^']*'|[^ ]+`)

// TestDocumentedFormatsDecode decodes each example of docs/formats.md with the command of the page, and compares the
// output with the page.
func TestDocumentedFormatsDecode(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range collector.Formats() {
		t.Run(format, func(t *testing.T) {
			_, section, found := strings.Cut(string(page), "\n## `"+format+"`\n")
			if !found {
				t.Fatal("the page has no section")
			}
			section, _, _ = strings.Cut(section, "\n## ")
			blocks := fencedBlock.FindAllStringSubmatch(section, -1)
			if len(blocks) != 3 || !strings.Contains(section, "\n- ") {
				t.Fatalf("%d blocks, want payload, command and facts, and a list of traps", len(blocks))
			}
			payload := []byte(blocks[0][2])
			if blocks[0][1] == "base64" {
				if payload, err = base64.StdEncoding.DecodeString(blocks[0][2]); err != nil {
					t.Fatal(err)
				}
			}
			path := apptest.WriteFile(t, "payload", string(payload))
			args := arguments(blocks[1][2])
			var out, errs bytes.Buffer
			code := executeShared(t.Context(), append(args, path), &out, &errs)
			if code != 0 || strings.TrimSpace(out.String()) != blocks[2][2] {
				t.Errorf("nhip %v exits with %d: %s\n%s\nthe page shows\n%s", args, code, &errs, &out, blocks[2][2])
			}
		})
	}
}

// arguments returns the arguments of nhip in a line of a shell.
func arguments(line string) (args []string) {
	_, line, _ = strings.Cut(line, "nhip ")
	line, _, _ = strings.Cut(line, " < ")
	for _, word := range shellWord.FindAllString(line, -1) {
		args = append(args, strings.Trim(word, "'"))
	}
	return args
}

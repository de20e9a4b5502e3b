package main

import (
	"bytes"
	"strings"
	"testing"
)

// succeed runs a tool on a data folder. The tool must succeed; succeed returns its output.
func succeed(t testing.TB, dir string, args ...string) string {
	t.Helper()
	code, stdout, stderr := try(t, dir, args...)
	if code != 0 {
		t.Fatalf("nhip %s exits with %d: %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// try runs a tool on a data folder.
func try(t testing.TB, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), append(args, "--data-dir", dir), &out, &errs)
	return code, out.String(), errs.String()
}

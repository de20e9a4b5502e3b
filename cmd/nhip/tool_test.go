package main

import (
	"bytes"
	"strings"
	"testing"

	"nhip/internal/datadir"
)

// succeed runs a tool on the folder of a nhip, which must succeed, and returns what it prints.
func (p *running) succeed(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := p.try(t, args...)
	if code != 0 {
		t.Fatalf("nhip %s exits with %d: %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// try runs a tool on the folder of a nhip.
func (p *running) try(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), append(args, "--data-dir", p.dir), &out, &errs)
	return code, out.String(), errs.String()
}

// token returns what opens the doors of a nhip's operator.
func (p *running) token(t *testing.T) string {
	t.Helper()
	token, err := datadir.ReadToken(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// idleParsers are the parsers that no test uses now. Building one takes half a second under the race detector, longer
// than most commands.
var idleParsers = make(chan *parser, 4)

// executeShared is execute with a parser that tests share one after another. Every process of a test uses execute.
func executeShared(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var p *parser
	select {
	case p = <-idleParsers:
	default:
		var err error
		if p, err = newParser(); err != nil {
			panic(err)
		}
	}
	defer func() {
		forget(p)
		select {
		case idleParsers <- p:
		default:
		}
	}()
	return p.execute(ctx, args, stdout, stderr)
}

// forget makes a parser take no flag or argument as given: Parse resets the values only.
func forget(p *parser) {
	_ = kong.Visit(p.Model, func(node kong.Visitable, next kong.Next) error {
		switch node := node.(type) {
		case *kong.Value:
			node.Set, node.Active = false, false
		case *kong.Node:
			node.Active = false
		}
		return next(nil)
	})
}

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
	code = executeShared(t.Context(), append(args, "--data-dir", dir), &out, &errs)
	return code, out.String(), errs.String()
}

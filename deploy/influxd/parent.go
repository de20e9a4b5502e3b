package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// withParent returns a context that ends when the parent lets go: standard input ends, which a
// parent's death brings about whatever killed it, or SIGTERM arrives, or SIGINT does at a terminal.
//
// A terminal's Ctrl-C reaches every process in its group. Under a parent (standard input is a pipe)
// SIGINT is ignored, because the parent decides the order of the stop: rows are still written until
// its collector has drained.
func withParent(ctx context.Context, stdin *os.File) (context.Context, context.CancelFunc) {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGINT}
	if hasParent(stdin) {
		signal.Ignore(syscall.SIGINT)
		signals = signals[:1]
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	// This read can't be interrupted, so the goroutine ends with the input or with the process.
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	return ctx, stop
}

// hasParent reports whether somebody holds the other end of the standard input.
func hasParent(stdin *os.File) bool {
	info, err := stdin.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}

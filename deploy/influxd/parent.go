package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// withParent returns a context that ends when the standard input ends, which also happens when the parent dies, however
// it dies; on SIGTERM; and, if started from a terminal, on SIGINT.
//
// Ctrl-C in a terminal sends SIGINT to every process in the group. With a parent (the standard input is a pipe) SIGINT
// is ignored, because the parent controls the order of the stop: its collector still writes rows until its outbox is
// empty.
func withParent(ctx context.Context, stdin *os.File) (context.Context, context.CancelFunc) {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGINT}
	if hasParent(stdin) {
		signal.Ignore(syscall.SIGINT)
		signals = signals[:1]
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	// The read can't be interrupted: the goroutine ends with the input or with the process.
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	return ctx, stop
}

// hasParent reports whether the standard input is connected to another process.
func hasParent(stdin *os.File) bool {
	info, err := stdin.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}

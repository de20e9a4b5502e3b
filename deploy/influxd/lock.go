package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockWait is how long a predecessor may still be closing. It is short enough that whoever started
// us, and waits for the ready line, still reads why there is none.
const lockWait = 20 * time.Second

// lockRetry is how often the lock is tried; flock can't wait with a limit.
const lockRetry = 50 * time.Millisecond

// lockDir makes dir and takes its lock, so that two servers never write the same files. The kernel
// gives the lock back when the process ends, however it ends. Closing the file gives it back, too.
func lockDir(ctx context.Context, dir string, wait time.Duration) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--dir: can't make it: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--dir: can't write to it: %w", err)
	}
	if err := waitForLock(ctx, f, wait); err != nil {
		f.Close()
		return nil, err
	}
	if err := writeHolder(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("--dir: can't write to it: %w", err)
	}
	return f, nil
}

func waitForLock(ctx context.Context, f *os.File, wait time.Duration) error {
	late := time.After(wait)
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("%s: can't lock it: %w", f.Name(), err)
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return fmt.Errorf("%s: still held by another influxd (process %s) after %s", f.Name(), holder(f), wait)
		}
	}
}

// writeHolder leaves our process id in the lock file, for the message of whoever waits in vain.
func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

func holder(f *os.File) string {
	b := make([]byte, 16) // longer than any process id
	n, _ := f.ReadAt(b, 0)
	return strings.TrimSpace(string(b[:n]))
}

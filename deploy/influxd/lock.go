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

// lockWait is how long to wait for a previous process to close. It is shorter than the parent's wait for the ready
// line, so that the parent gets the error message.
const lockWait = 20 * time.Second

// lockRetry is the interval of attempts to lock: flock has no timeout.
const lockRetry = 50 * time.Millisecond

// lockDir creates dir and takes its lock, so that two servers never write the same files. The kernel releases the lock
// when the file is closed or the process ends, however it ends.
func lockDir(ctx context.Context, dir string, wait time.Duration) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--dir: can't create the folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--dir: can't write to the folder: %w", err)
	}
	if err := waitForLock(ctx, f, wait); err != nil {
		f.Close()
		return nil, err
	}
	if err := writeHolder(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("--dir: can't write to the folder: %w", err)
	}
	return f, nil
}

func waitForLock(ctx context.Context, f *os.File, wait time.Duration) error {
	timeout := time.After(wait)
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("%s: can't lock the file: %w", f.Name(), err)
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return fmt.Errorf("%s: still held by another influxd (process %s) after %s", f.Name(), holder(f), wait)
		}
	}
}

// writeHolder writes the process id to the lock file, for the error message of a process that can't get the lock.
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

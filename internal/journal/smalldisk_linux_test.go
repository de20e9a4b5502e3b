package journal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestSmallFileSystem fills a real file system of 300 KiB, which a child process mounts in its own namespaces.
func TestSmallFileSystem(t *testing.T) {
	cmd := child(t, "small disk", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || strings.Contains(string(out), errNoMount.Error()) {
		t.Skipf("can't mount a file system on this machine: %v %s", err, out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestFileSizeLimit temporarily limits the size of files to 40 KiB.
func TestFileSizeLimit(t *testing.T) {
	if out, err := child(t, "file limit", t.TempDir()).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// childRoles returns the roles of child processes.
func childRoles() map[string]func(dir string) error {
	return map[string]func(string) error{
		"appender": appendUntilKilled, "small disk": smallDisk, "file limit": fileLimit,
	}
}

var errNoMount = errors.New("mount a small file system")

func smallDisk(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=300k"); err != nil {
		return fmt.Errorf("%w: %w", errNoMount, err)
	}
	return fillDisk(dir, syscall.ENOSPC, func() {}, func(j *Journal) error {
		return j.Release((j.FirstSeq() + j.LastSeq()) / 2)
	})
}

func fileLimit(dir string) error {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	return fillDisk(dir, syscall.EFBIG, func() {
		_ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 40 << 10, Max: old.Max})
	}, func(*Journal) error {
		return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)
	})
}

// fillDisk repeatedly appends until the error full, and then frees space.
func fillDisk(dir string, full error, limit func(), freeSpace func(*Journal) error) error {
	j, err := Open(dir, Options{SegmentBytes: 64 << 10})
	if err != nil {
		return err
	}
	acked := map[uint64]string{}
	for range 5 {
		for range 10 {
			if err := appendTo(j, acked); err != nil {
				return fmt.Errorf("with free space: %w", err)
			}
		}
		limit()
		if err := appendUntilFull(j, acked, full); err != nil {
			return err
		}
		if err := freeSpace(j); err != nil {
			return err
		}
	}
	if err := errors.Join(checkAll(j, acked), j.Close()); err != nil {
		return err
	}
	if j, err = Open(dir, Options{SegmentBytes: 64 << 10}); err != nil {
		return err
	}
	return errors.Join(checkAll(j, acked), appendTo(j, acked), checkAll(j, acked), j.Close())
}

func appendTo(j *Journal, acked map[uint64]string) error {
	record := fmt.Sprintf("after %d %01000d", j.LastSeq(), 0)
	a := appendOne(j, record)
	if a.err == nil {
		acked[a.seq] = record
	}
	return a.err
}

// appendUntilFull appends until 12 appends in a row are rejected.
func appendUntilFull(j *Journal, acked map[uint64]string, full error) error {
	rejected := 0
	for n := 0; rejected < 12; n++ {
		err := appendTo(j, acked)
		switch {
		case n > 1000:
			return errors.New("the disk is not full after 1000 appends")
		case err == nil:
			rejected = 0
		case !errors.Is(err, ErrFull) || !errors.Is(err, full):
			return err
		default:
			rejected++
		}
	}
	if s := j.Stats(); !s.Full || s.Failures == 0 {
		return fmt.Errorf("stats %+v on a full disk", s)
	}
	return checkAll(j, acked)
}

func checkAll(j *Journal, acked map[uint64]string) error {
	r := j.Reader(0)
	defer r.Close()
	next := j.FirstSeq()
	for {
		seq, record, ok, err := r.TryNext()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if seq != next || acked[seq] != string(record) {
			return fmt.Errorf("read seq %d %.20q, want %d %.20q", seq, record, next, acked[next])
		}
		next++
	}
	if next != j.LastSeq()+1 {
		return fmt.Errorf("read to seq %d, want %d", next-1, j.LastSeq())
	}
	return nil
}

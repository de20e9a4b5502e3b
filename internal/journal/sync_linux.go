package journal

import (
	"os"
	"syscall"
)

// syncData calls fdatasync, which does not sync the file's times: on ext4 that would need a commit of its journal.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != syscall.EINTR {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}

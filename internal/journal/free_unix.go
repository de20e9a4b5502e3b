//go:build linux || darwin || freebsd

package journal

import "golang.org/x/sys/unix"

// free asks the file system. What only root may take does not count.
func (osFS) free(dir string) (int64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, err
	}
	return int64(disk.Bavail) * int64(disk.Bsize), nil
}

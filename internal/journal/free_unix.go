//go:build linux || darwin || freebsd

package journal

import "golang.org/x/sys/unix"

// free returns the file system's free space, without the part that is reserved for root.
func (osFS) free(dir string) (int64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, err
	}
	return int64(disk.Bavail) * int64(disk.Bsize), nil
}

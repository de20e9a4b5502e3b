//go:build !linux

package journal

import "os"

// syncData calls the strongest sync of the standard library, which is F_FULLFSYNC on Darwin.
func syncData(f *os.File) error { return f.Sync() }

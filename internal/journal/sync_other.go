//go:build !linux

package journal

import "os"

// syncData is the strongest that the standard library offers; on Darwin it is F_FULLFSYNC.
func syncData(f *os.File) error { return f.Sync() }

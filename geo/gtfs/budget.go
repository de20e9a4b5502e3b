package gtfs

// Bounds of a timetable. Reading needs at most about twice the memory that is held, because a garbage collector
// frees late: so at most 1 GB, and at most four times the unpacked size of a large timetable.
const (
	// MaxFileSize is the maximum unpacked size of one file in bytes: 30 times the stop times of Hanoi.
	MaxFileSize = 512 << 20
	// MaxSize is the maximum unpacked size of all files that are used, in bytes.
	MaxSize = 1 << 30

	maxHeld      = 512 << 20 // bytes of memory that a feed may hold, whatever its size
	heldPerByte  = 2         // bytes of memory that a feed may hold per unpacked byte …
	alwaysHeld   = 32 << 20  // … and what every feed may hold
	maxRatio     = 200       // of a packed file; those of real timetables are below 40
	freeRatio    = 1 << 20   // bytes of a file that may have any ratio
	maxDirectory = 512 << 10 // bytes of the directory of an archive, some thousand files
	maxRecord    = 64 << 10  // bytes of a row, with its line breaks
	maxColumns   = 1000
)

// Estimates of memory, in bytes, on a 64-bit machine.
const (
	mapEntry  = 48 // of a map from an id to a pointer, with its share of empty slots
	reference = 20 // of a pointer in a slice that grows
)

// budget bounds the memory that a feed holds. A nil budget has no bound.
type budget struct{ used, limit int64 }

// newBudget returns the budget of a feed with an unpacked size in bytes.
func newBudget(size int64) *budget {
	return &budget{limit: min(max(alwaysHeld, size*heldPerByte), maxHeld)}
}

// take adds memory that is about to be held. It returns false if that is too much.
func (b *budget) take(bytes int64) bool {
	if b == nil {
		return true
	}
	b.used += bytes
	return b.used <= b.limit
}

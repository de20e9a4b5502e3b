// Package ledger is a collector's book: what each device has said, and what became of it.
//
// Judge tells whether a fact is new, was said before, or was said before with another content, within a
// late window of 100 days or so. Update counts what became of rows, by device and hour of their time, and
// sets marks: how far a consumer of the book has come elsewhere. All that is in memory until Checkpoint
// saves facts, counts and marks together or nothing of them; whoever opens the book after a crash finds
// the last checkpoint, and does again what came after it.
//
// # Files
//
// A checkpoint writes one run for each hour of device time that it has anything of, and then the file
// "checkpoint", which says up to which number runs count. Runs are never changed; Maintain merges several
// of an hour into one, and leaves the facts out once the hour is older than the late window. Counts stay.
//
// A run is called <hour>.<first>-<last>.run, after its hour and the checkpoints that are in it. Integers
// are little-endian, "u" is an unsigned and "v" a zigzag varint, a text is its length as u and its bytes,
// and a sum is the CRC32C of what is named with it.
//
//	header    "nhipbook", version u32, runs of the checkpoint u32 (0: merged), hour i64, first u64,
//	          last u64, length of the marks u64, marks, sum of the header
//	sections  one for each device with facts: series, sum of the device's name and the section
//	leaves    of some 4 KiB: devices in the order of their names, sum of the leaf
//	index     of each leaf: offset u, length u, its first device's name
//	footer    offset of the index u64, size of the file u64, facts u64, devices u32, sum of the index u32,
//	          sum of the footer
//
//	series    name, number of facts u, scale u (1 or 1000 ms), length of the times u, times, prints: the
//	          first time is v behind the hour's begin, each other u behind the one before, in the scale;
//	          a print is 6 bytes
//	device    name, received v, duplicate v, queued v, stored v, revised v, number of reasons u, of each
//	          its code and count v, offset u and length u of the section
//	marks     their number u, of each its name and value as texts
//
// The file "checkpoint" is "nhipmark", version u64, number u64, marks, sum of all that.
//
// # Damage
//
// Every byte lies under a sum. What does not hold it is left out, counted in Stats.Damaged and logged, and
// a run that is damaged as a whole is renamed to .bad for a human to look at; the rest goes on. A
// checkpoint file that is damaged or gone is made again from the runs, of which each names its marks.
package ledger

// Package ledger remembers, for one collector, which facts each device has sent and counts what became of them.
//
// Classify reports whether a fact is new, a duplicate or a revision of one that was sent within the late window
// (nhip.LateWindow, about 100 days). Update counts the outcome of rows by device and hour of device time, and sets
// marks: the positions of the ledger's consumers in other logs. All of that stays in memory until Checkpoint saves
// facts, counts and marks together, or none of them. After a crash, Open finds the last checkpoint, and the caller
// processes again what came after it.
//
// # Files
//
// A checkpoint writes one segment for each hour of device time that it has data for, and then the file "checkpoint",
// which holds the number of the last checkpoint that counts. Segments are immutable. Maintain merges the segments of
// an hour into one, and drops the facts once the hour is older than the late window. Counts are kept.
//
// A segment is called <hour>.<first>-<last>.run, after its hour and the range of checkpoints that it holds. Integers
// are little-endian; "u" is an unsigned and "v" a zigzag varint; a string is its length as u, followed by its bytes;
// a checksum is the CRC32C of the named parts.
//
//	header    "nhipbook", version u32, number of segments of the checkpoint u32 (0: merged), hour i64, first u64,
//	          last u64, length of the marks u64, marks, checksum of the header
//	sections  one for each device with facts: its series, checksum of the device's name and the section
//	leaves    of about 4 KiB: devices sorted by name, checksum of the leaf
//	index     for each leaf: offset u, length u, name of its first device
//	footer    offset of the index u64, size of the file u64, facts u64, devices u32, checksum of the index u32,
//	          checksum of the footer
//
//	series    name, number of facts u, scale u (1 or 1000 ms), length of the times u, times, fingerprints: the
//	          first time is v relative to the start of the hour, each other u relative to the one before, in units
//	          of the scale; a fingerprint has 6 bytes
//	device    name, received v, duplicate v, queued v, stored v, revised v, number of rejection codes u, for each
//	          its code and count v ("lost" is no rejection but Counts.Lost); offset u and length u of the section
//	marks     their number u, for each its name and value as strings
//
// The file "checkpoint" is "nhipmark", version u64, number u64, marks, checksum of all of these.
//
// # Damage
//
// A checksum covers every byte. A part whose checksum fails is skipped, counted in Stats.Damaged and logged. A
// segment that is damaged as a whole is renamed to .bad for inspection; the other segments stay in use. A checkpoint
// file that is damaged or missing is rebuilt from the segments, each of which holds the marks of its checkpoint.
package ledger

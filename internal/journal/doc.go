// Package journal is a durable, segmented, append-only log of records: the messages that a role has accepted and not
// yet passed on. A record is acknowledged once it is on disk. Consumers read the durable records in order, save their
// positions in named cursors, and release the records that they no longer need.
//
// # Guarantees
//
// Records are numbered from 1, without gaps, in the order of their appends. The number (seq) is known with the
// acknowledgement. Until it is released, an acknowledged record is read with the same bytes, once by each reader, after
// any crash of the process or the machine. A record whose append returned an error is never read, with one exception
// that can't be avoided: if the disk failed the write and also every attempt to invalidate it (see Failures) until the
// process or machine went down, the record may be read. A record whose append had no outcome because of a crash may be
// read or not. A sender without an acknowledgement sends again, so readers must handle a record that appears under two
// seqs as a duplicate.
//
// # Commits
//
// Append copies the record into the pending batch. One goroutine, the committer, takes the pending batch, writes it as
// one frame, syncs, and acknowledges its records. The batch contains the records that were appended during the sync
// before: a single appender waits for one sync, and two hundred share one. There is no timer. A batch is at most as
// large as a segment, except for a single record that is larger.
//
// Frames overwrite zeros: a commit that reaches the end of the newest segment's file extends it with zeros to the next
// MiB. The following commits change bytes and not the file's size, so that their syncs need no commit of the file
// system's own journal. When a segment ends, because the next one begins or because of Close, its file is truncated
// after its last frame.
//
// # Space
//
// With Options.MaxBytes the files of all segments, including zeros and quarantined segments, never take more bytes than
// that. A record that does not fit is rejected at once with ErrBound. Nothing else changes: readers read, cursors are
// saved, and the first Release that deletes a segment frees space. Space is freed one segment at a time, and the newest
// segment is never deleted. Therefore MaxBytes must be at least two segments, a segment must hold the longest record,
// and the default segment is an eighth of MaxBytes. Then a journal whose records are all released always has space for
// any record. A crash can restore segments whose deletion was not durable yet; they count.
//
// A full disk has the same effect for an appender: its errors are ErrFull, as ErrBound is. With Options.MinFree a
// journal treats a disk with less free space than that as full. This leaves space for others who must write before
// space can be freed: a database, or a consumer that saves a cursor. Preallocated zeros, up to a MiB, are still used.
//
// # Files
//
// A segment is named by the seq of its first record, as 20 decimal digits and ".seg". Numbers are little-endian,
// checksums are CRC-32C (Castagnoli). A segment without records is an empty file; the header is written with the first
// frame. Zeros may follow the last frame: no frame begins with a zero length. (Versions that did not write zeros take
// them for a torn end and cut them off.)
//
//	header  offset  size  content
//	             0     8  magic "nhipjrnl"
//	             8     4  version of the format, 1
//	            12     4  checksum of bytes 0 to 11
//
//	frame   offset  size  content
//	             0     4  length of everything after the checksum: 12 + payload
//	             4     4  checksum of everything after it
//	             8     8  seq of the first record
//	            16     4  number of records, at least 1
//	            20     …  payload: for each record its length as uvarint and its bytes
//
// A cursor is a file "<name>.cursor" with one line: the seq in decimal, a space, and the checksum of those digits as 8
// hexadecimal digits. The file "lock" holds the lock that excludes a second process. A damaged segment has a second
// name that ends in ".bad" instead of ".seg".
//
// # Recovery
//
// A frame is synced before the next one is written, so a crash can tear only the last frame of the newest segment. Open
// cuts it off together with the zeros. It rewrites the last good frame, because a failed sync may have left that frame
// in the page cache only, where it can be read but where no later sync writes it to disk.
//
// A bad frame that has a good one behind it is not a torn write but damage to data that was on disk. It is skipped,
// counted and logged, and its segment is not written to any more. The good frame is found by the length of the bad one;
// if that is damaged too, by a search from byte to byte for a frame with a valid checksum and the next possible seq.
// Damage with nothing good behind it hides the rest of an older segment, which is skipped. At the end of the newest
// segment it looks like a torn frame and is cut off, unless later records are known: by a saved cursor, or by
// Options.KnownSeq. Damage that can be read never makes Open fail.
//
// What the disk fails to read is skipped like damage after some attempts of a reader. In the newest segment it makes
// Open fail, because its end must be known.
//
// Known seqs are not assigned again, whatever was lost: numbering continues after the highest of them, even if the
// folder was removed or an older copy of it was restored. A reader counts what it had to skip, see Reader.Skipped.
//
// A damaged segment gets its second name when the damage is first detected. Under that name it is kept for inspection
// after the segment is released. The last four are kept; with a bound they take at most a quarter of it, and never
// space that the two segments for records need.
//
// # Failures
//
// After a failed write or sync the content of the file is unknown, and a second sync may report success for bytes that
// are lost. Therefore that descriptor is never synced again: the batch gets the error, the file is truncated after its
// last good frame as far as the disk allows, and a new segment begins at the seq after the last acknowledged one. A
// segment overrides everything in older files from its first seq on, which invalidates the failed frame even if the
// truncation did not reach the disk. The new segment's name is made durable before the error is returned; if that
// fails, every later batch first tries again. So a full disk causes errors until there is space, and nothing else; the
// next append after that succeeds.
package journal

// Package journal is a durable, segmented, append-only log of records: what a role has taken in and
// not yet passed on. A record is acknowledged when it is on disk and not before; consumers read the
// durable records in order, remember their place in named cursors, and release what they no longer
// need.
//
// # What it promises
//
// Records are numbered from 1 without gaps in the order of their appends; the number (seq) is known
// with the acknowledgement. An acknowledged record is read back with the same bytes, once per
// reader, after any crash of the process or the machine, until it is released. A record whose
// append was answered with an error is never read, with one exception that no program can avoid:
// when the disk refused not only the record but also every way of disowning it (see Failures) until
// the process or the machine went down, it may be. A record whose append was not answered at all because of a
// crash may be read or not. Whoever gets no acknowledgement sends again, so readers must take a
// record that comes twice under two seqs as a duplicate.
//
// # Commits
//
// Append copies the record into the pending batch. One goroutine takes all that is pending, writes
// it as one frame, syncs, and answers: the batch is as large as what came in during the sync before,
// so a lone appender waits for one sync and two hundred share it. No timer is involved. A batch never
// grows beyond a segment, except for a single record that does.
//
// Frames are written over zeros: the commit that comes to the end of the newest segment's file
// lengthens it to the next MiB, so that the commits after it change bytes and not the file, and a
// sync has nothing to tell the file system's own journal. A segment that is left, by the next one's
// begin or by Close, is cut to its frames.
//
// # Room
//
// With Options.MaxBytes the files of all segments, zeros and those set aside included, never take
// more than that. A record that would not fit is refused at once with ErrFull, and nothing else
// changes: readers read, cursors are saved, and the first Release that deletes a segment makes room
// again. Room comes back a segment at a time, and the newest segment is never released; so MaxBytes
// must be two segments at least, a segment must hold the longest record, and the default segment is
// an eighth of MaxBytes. Then a journal whose records are all released has always room for any other.
// A crash may bring segments back whose deletion was not durable yet; the bound counts them.
//
// A disk that is full is no different to whoever appends: its errors are ErrNoRoom as ErrFull is. With
// Options.MinFree a journal takes the disk for full while that much is left, for others who need room to
// make room: a database, or whoever must save a cursor before anything can be released. What was written
// ahead already, up to a MiB, is still used.
//
// # Files
//
// A segment is named by the seq of its first record, as 20 decimal digits and ".seg". Numbers are
// little-endian, checksums are CRC-32C (Castagnoli). A segment without records is an empty file;
// the header is written together with the first frame. Zeros may follow the last frame: no frame
// begins with a zero length. (Programs that write none take them for a torn end, and cut them off.)
//
//	header  offset  size  what
//	             0     8  magic "nhipjrnl"
//	             8     4  version of the format, 1
//	            12     4  checksum of bytes 0 to 11
//
//	frame   offset  size  what
//	             0     4  length: of all that follows the checksum, 12 + payload
//	             4     4  checksum of all that follows it
//	             8     8  seq of the first record
//	            16     4  count of records, at least 1
//	            20     …  payload: count times (length as uvarint, bytes)
//
// A cursor is a file "<name>.cursor" with one line: the seq in decimal, a space, the checksum of
// those digits as 8 hexadecimal ones. A file "lock" carries the lock against a second opener. A
// segment's name with ".bad" in place of ".seg" is a second name of a damaged one.
//
// # Recovery
//
// A frame is synced before the next is written, so a crash can leave only the newest segment's last
// frame torn; Open cuts it off, with the zeros. The last good frame is written once more, because a
// sync that failed may have left it in memory only, where it can be read and no later sync saves it.
//
// A bad frame with a good one behind it is no torn write but damage to something that was once on
// disk: it is skipped alone, counted and logged, and its segment is not written to any more. If the
// damage hides where the next frame begins, an older segment is skipped to its end; so is the newest
// when a saved cursor lies beyond, else it is cut there. Damage never stops Open. Seqs that a saved
// cursor has passed are not given out again, whatever was lost.
//
// A damaged segment gets a second name when the damage is first seen, under which it outlives its
// release, for a human to look at. The last four are kept; under a bound they take no more than a
// quarter of it, and nothing that the two segments which records need would miss.
//
// # Failures
//
// After a failed write or sync nobody knows what the file holds, and a second sync of it may claim
// success for bytes that are gone. So its descriptor is never synced again: the batch is answered
// with the error, the file is cut back to its last good frame as far as the disk lets us, and a new
// segment takes over at the seq after the last acknowledged one. A segment's first seq overrides
// whatever older files hold from that seq on, which disowns the failed frame also when the cut never
// reached the disk. The new segment's name is made durable before the error is answered; if that
// fails, every later batch tries again first. So a full disk means errors until there is room, and
// nothing else; the journal needs no more than the next append to find out.
package journal

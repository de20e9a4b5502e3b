package journal_test

import (
	"fmt"
	"log"
	"os"

	"nhip/internal/journal"
)

// A producer appends records and waits until they are on disk. A consumer continues after its saved cursor, saves its
// new position, and releases what it has processed.
func Example() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer j.Close()

	// Append returns before the record is on disk; done is called when it is. Only then may a sender be acknowledged.
	acked := make(chan error)
	for _, record := range []string{"bus 29B-123 at 07:00", "bus 29B-123 at 07:01", "bus 29B-456 at 07:01"} {
		j.Append([]byte(record), func(_ uint64, err error) { acked <- err })
		if err := <-acked; err != nil {
			log.Fatal(err) // errors.Is(err, journal.ErrFull): retry later
		}
	}

	processed, err := j.Cursor("history") // 0: this consumer has no cursor yet
	if err != nil {
		log.Fatal(err)
	}
	r := j.Reader(processed + 1)
	defer r.Close()
	for {
		seq, record, ok, err := r.TryNext() // Next would wait for further records
		if err != nil {
			log.Fatal(err)
		}
		if !ok {
			break
		}
		fmt.Printf("%d: %s\n", seq, record)
		processed = seq
	}

	// After a crash the consumer continues here. A record between two saves is read twice, so consumers must be
	// idempotent.
	if err := j.SaveCursor("history", processed); err != nil {
		log.Fatal(err)
	}
	if err := j.Release(processed); err != nil { // deletes complete segments only
		log.Fatal(err)
	}
	fmt.Println("processed up to", processed)

	// Output:
	// 1: bus 29B-123 at 07:00
	// 2: bus 29B-123 at 07:01
	// 3: bus 29B-456 at 07:01
	// processed up to 3
}

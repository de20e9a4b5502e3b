package influx

import (
	"context"
	"io"
)

// Exported for tests.
var (
	TagText      = tagText
	TagValue     = tagValue
	AppendNumber = appendNumber
)

// The selections of typed reads, for comparison with a client that does nothing else.
var (
	ReadingSelection = (*ReadingQuery).selection
	FleetSelection   = fleetSelection
)

// Discard sends a selection and throws the response away: the plainest client.
func Discard(db *DB, ctx context.Context, s *Selection) error {
	resp, err := db.ask(ctx, s)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
